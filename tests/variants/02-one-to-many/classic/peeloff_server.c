// peeloff_server - stage 02 in another manner: a thread for each association that has been branched off
#include "own.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/time.h>

static const char usage[] = "[-p PORT] [-a ADDRESS]...";
static atomic_llong until; /* when all must be over; 0: we are not to end */
static atomic_int threads;

struct arrival {
  int fd, flags;
  ssize_t size;
  struct sctp_sndrcvinfo info;
  struct sockaddr_storage from;
  size_t length; /* of the message so far, which ends with these bytes */
  union {
    char bytes[2 * MAX_MESSAGE + 2];
    union sctp_notification event;
  } space;
};

/* Receives behind what has come of the message. */
static void receive(struct arrival *arrival)
{
  socklen_t size = sizeof arrival->from;
  arrival->flags = 0;
  arrival->size = sctp_recvmsg(arrival->fd, arrival->space.bytes + arrival->length, MAX_MESSAGE + 1,
                               (struct sockaddr *)&arrival->from, &size, &arrival->info, &arrival->flags);
}

/* Returns false when the association is over. A notification comes in the middle of a message only where it is lost. */
static int take(struct arrival *arrival)
{
  if (arrival->size < 0)
    return errno == EAGAIN || errno == EINTR;
  if (arrival->flags & MSG_NOTIFICATION) {
    union sctp_notification event;
    memcpy(&event, arrival->space.bytes + arrival->length,
           (size_t)arrival->size < sizeof event ? (size_t)arrival->size : sizeof event);
    int change = event.sn_header.sn_type == SCTP_ASSOC_CHANGE, state = event.sn_assoc_change.sac_state;
    arrival->length = 0;
    return !change || state == SCTP_COMM_UP || state == SCTP_RESTART;
  }
  arrival->length += (size_t)arrival->size;
  if (arrival->length > MAX_MESSAGE) {
    send_to(arrival->fd, 0, NULL, SCTP_ABORT, "message too long", 16);
    return 0;
  }
  if (!(arrival->flags & MSG_EOR))
    return 1;
  report(&arrival->info, arrival->length, &arrival->from);
  while (send_to(arrival->fd, 0, &arrival->info, 0, arrival->space.bytes, arrival->length) < 0) {
    struct pollfd room = {.fd = arrival->fd, .events = POLLOUT};
    if (errno == EINVAL && arrival->info.sinfo_stream != 0)
      arrival->info.sinfo_stream = 0;
    else if (errno != EAGAIN && errno != EINTR)
      break;
    else if (until != 0 && now() > until)
      return 0;
    else
      poll(&room, 1, 50);
  }
  arrival->length = 0;
  return 1;
}

static void *serve(void *argument)
{
  struct arrival *arrival = argument;
  int goes_on = take(arrival), said_goodbye = 0;
  while (goes_on && (until == 0 || now() < until)) {
    struct pollfd more = {.fd = arrival->fd, .events = POLLIN};
    if (poll(&more, 1, 50) > 0) {
      receive(arrival);
      goes_on = take(arrival);
    } else if (until != 0 && !said_goodbye) {
      said_goodbye = send_to(arrival->fd, 0, NULL, SCTP_EOF, NULL, 0) >= 0;
    }
  }
  if (goes_on)
    send_to(arrival->fd, 0, NULL, SCTP_ABORT, NULL, 0);
  close(arrival->fd);
  free(arrival);
  threads--;
  return NULL;
}

/* Branches off one association. Returns false where nothing has come. */
static int branch_off(int listener)
{
  struct arrival *arrival = calloc(1, sizeof *arrival);
  pthread_t thread;
  if (arrival == NULL)
    return 0;
  arrival->fd = listener;
  receive(arrival);
  int came = arrival->size >= 0;
  if (came && !(arrival->flags & MSG_NOTIFICATION)) {
    arrival->fd = sctp_peeloff(listener, arrival->info.sinfo_assoc_id);
    if (arrival->fd >= 0) {
      fcntl(arrival->fd, F_SETFL, O_NONBLOCK);
      threads++;
      if (pthread_create(&thread, NULL, serve, arrival) == 0) {
        pthread_detach(thread);
        return 1;
      }
      threads--;
      close(arrival->fd);
    }
  }
  free(arrival);
  return came;
}

int main(int argc, char **argv)
{
  int option, count = 0;
  unsigned short port = 2013;
  char *names[argc];
  me = "peeloff_server";
  while ((option = option_of(argc, argv, "hp:a:", usage)) != -1)
    if (option == 'p')
      port = (unsigned short)number_of(optarg, 0, 65535, usage);
    else
      names[count++] = optarg;
  if (optind < argc)
    misuse(usage);
  watch_signals();
  int fd = open_one_to_many();
  serve_at(fd, names, count, port);

  struct pollfd either[] = {{.fd = fd, .events = POLLIN}, {.fd = signals[0], .events = POLLIN}};
  do
    if (poll(either, 2, -1) > 0 && either[0].revents != 0)
      branch_off(fd);
  while (either[1].revents == 0);
  while (branch_off(fd))
    ;
  until = now() + 5000;
  close(fd);
  while (threads > 0)
    usleep(10000);
  return 0;
}
