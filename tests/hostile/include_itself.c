// The compiler is to read a file that includes itself, twice each time.
// alone
// expect: none
#include __FILE__
#include __FILE__
