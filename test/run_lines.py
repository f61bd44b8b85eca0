"""The lit test format of netc: a shell test is a file that has a RUN line. In a module of its own, since lit's workers
import it."""
import lit.formats


class FilesWithRunLines(lit.formats.ShTest):
    def getTestsInDirectory(self, testSuite, pathInSuite, litConfig, localConfig):
        for test in super().getTestsInDirectory(testSuite, pathInSuite, litConfig, localConfig):
            with open(test.getSourcePath(), "rb") as f:
                if b"RUN:" in f.read():
                    yield test
