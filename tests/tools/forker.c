// forker - starts processes until it is killed; a process with many mappings, so that starting one takes a while
//
// Usage: forker
// Compile:  cc -o forker forker.c
#include <err.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
  for (int i = 0; i < 500; i++) // neighbours differ, or the kernel would make one mapping of them
    if (mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
      err(1, "mmap");
  for (;;) {
    pid_t pid = fork();
    if (pid < 0)
      err(1, "fork");
    if (pid == 0)
      _exit(0);
    waitpid(pid, NULL, 0);
  }
}
