// Never comes to an end.
// expect: none
__attribute__((constructor)) static void attack(void)
{
  for (volatile int forever = 1; forever;)
    ;
}
