// The compiler is to read a file without an end.
// alone
// expect: none
#include "/dev/zero"
