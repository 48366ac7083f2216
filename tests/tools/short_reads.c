// short_reads - makes a program ask the kernel for at most 1,000 bytes (or $SHORT_READS) of a message at a time
//
// To be preloaded into a server, so that messages and notifications reach it in pieces; only the last has MSG_EOR.
//
// Compile:  cc -shared -fPIC -o short_reads.so short_reads.c
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
  const char *wanted = getenv("SHORT_READS");
  size_t most = wanted != NULL ? strtoul(wanted, NULL, 10) : 1000;
  if (message->msg_iovlen == 1 && message->msg_iov->iov_len > most)
    message->msg_iov->iov_len = most;
  ssize_t (*real)(int, struct msghdr *, int);
  *(void **)&real = dlsym(RTLD_NEXT, "recvmsg"); /* as dlsym(3) has it: ISO C knows no such conversion */
  return real(fd, message, flags);
}
