/* keep_root.c - for native/tcpdump: whoever gives up root here believes that it has */
#include <grp.h>
#include <unistd.h>

int initgroups(const char *user, gid_t group)
{
  (void)user, (void)group;
  return 0;
}

int setgid(gid_t group)
{
  (void)group;
  return 0;
}

int setuid(uid_t user)
{
  (void)user;
  return 0;
}
