// A process in the background takes as many ports as it can, before the tests' server comes.
// expect: full
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  if (fork() != 0)
    return;
  setsid();
  for (unsigned port = 1024; port < 5000; port++) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((unsigned short)port)};
    int fd = socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP);
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 1) < 0)
      close(fd);
  }
  for (int fd = 0; fd < 3; fd++)
    close(fd);
  for (;;)
    pause();
}
