"""A page of netc explain: well-formed, with formulas, and nothing to load.

usage: check_page.py FILE.html
"""
import re
import sys
import xml.etree.ElementTree

text = open(sys.argv[1], encoding="utf-8").read()
body = re.search(r"<body>.*</body>", text, re.S).group()
formulas = xml.etree.ElementTree.fromstring(body).findall(".//math")
addresses = re.findall(r"src=|href=|url\(|https?:|<script", text)
print(f"{len(formulas)} formulas, {', '.join(addresses) or 'no address'}")
sys.exit(0 if len(formulas) > 20 and not addresses else 1)
