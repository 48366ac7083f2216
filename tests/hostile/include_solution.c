// The solution is to be included from where the grader has it.
// alone
// expect: none
#include SOLUTION
