# Debian 12 with all that the course needs, and an ordinary user. It needs no privilege and no option of Docker's:
#
#     docker build -t sctp-course .
#     docker run --rm -it -v "$PWD:/course" sctp-course make demo
#
# Your folder is /course. The kernel of the lab traces its processes, which Docker's default seccomp profile allows on Linux 4.8 and later, and keeps its
# memory in /tmp, where programs may be executed (in /dev/shm of a container they may not).
FROM debian:bookworm

# What the user of a shell misses most; the rest is lab/setup's business.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git less man-db manpages-dev sudo vim-tiny \
    && rm -rf /var/lib/apt/lists/*
COPY lab/setup lab/build-kernel lab/kernel.config lab/kernel.patch /opt/sctp-course/lab/
RUN /opt/sctp-course/lab/setup test && rm -rf /var/lib/apt/lists/*

# With a cache that is the user's also where a volume is laid over it.
RUN useradd --create-home --shell /bin/bash student \
    && install -d -o student -g student /course /home/student/.cache \
    && echo 'student ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/student
ENV LANG=C.UTF-8
USER student
WORKDIR /course
CMD ["bash"]
