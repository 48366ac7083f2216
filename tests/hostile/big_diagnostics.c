// The compiler is to say something a billion times.
// alone
// expect: none
#define A(x) x x x x x x x x x x
#define B(x) A(A(A(x)))
void wrong(void)
{
  B(B(B(undeclared;)))
}
