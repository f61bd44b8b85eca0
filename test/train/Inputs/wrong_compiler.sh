# wrong_compiler.sh ARGUMENTS: g++, for which 1 is the next larger float in the quotients of a model's C++.
for argument; do
  case $argument in *.cpp) sed -i 's/Div(Set(1.0f)/Div(Set(1.00000012f)/' "$argument" ;; esac
done
exec g++ "$@"
