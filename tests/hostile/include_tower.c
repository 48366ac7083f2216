// The compiler is to expand a macro to 10^16 words.
// alone
// expect: none
#define A(x) x x x x x x x x x x
#define B(x) A(A(A(A(x))))
int tower[] = {B(B(B(B(1, ))))};
