// An object file of 1 GB.
// alone
// expect: none
char big[1 << 30] = {1};
