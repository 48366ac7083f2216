// The assembler is to embed what the compiler could not be made to read.
// alone
// says: file not found.*shadow[^$]*file not found.*echo_server
// expect: none
__asm__(".incbin \"/etc/shadow\"\n.incbin \"" COURSE "/01-one-to-one/echo_server.c\"\n");
