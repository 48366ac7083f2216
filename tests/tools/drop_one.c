// drop_one - makes a program lose one message: its seventh sendmsg() says that it has sent, and has not
//
// To be preloaded into a server, so that a test sees whether the loss is noticed.
//
// Compile:  cc -shared -fPIC -o drop_one.so drop_one.c
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <sys/socket.h>

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
  static int calls;
  if (++calls != 7)
    return ((ssize_t(*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg"))(fd, message, flags);
  ssize_t length = 0;
  for (size_t i = 0; i < message->msg_iovlen; i++)
    length += (ssize_t)message->msg_iov[i].iov_len;
  return length;
}
