// event_server - stage 03 in another manner: the old SCTP_EVENTS and sctp_recvmsg(), a table of its own; a notification
// that comes in pieces is put together, and printed when it is whole
#include "print.h"

static const char usage[] = "[-t MS] [-p PORT] [-a ADDRESS]...";

static struct association {
  struct association *next;
  sctp_assoc_t id;
  size_t length; /* of what has come of a message */
  char *bytes;   /* NULL: nothing */
} * all;

static struct association **find(sctp_assoc_t id)
{
  struct association **link = &all;
  while (*link != NULL && (*link)->id != id)
    link = &(*link)->next;
  return link;
}

static struct association *known(sctp_assoc_t id)
{
  struct association **link = find(id);
  if (*link == NULL && (*link = calloc(1, sizeof **link)) != NULL)
    (*link)->id = id;
  if (*link == NULL)
    die("memory", strerror(errno));
  return *link;
}

static void drop_pieces(struct association *association)
{
  free(association->bytes);
  association->bytes = NULL;
  association->length = 0;
}

static void forget(sctp_assoc_t id)
{
  struct association **link = find(id), *gone = *link;
  if (gone == NULL)
    return;
  *link = gone->next;
  drop_pieces(gone);
  free(gone);
}

/* The send buffer has been full for a second: who has the most unacknowledged in it goes. */
static void make_room(int fd)
{
  struct sctp_status worst = {.sstat_assoc_id = 0};
  for (struct association *one = all; one != NULL; one = one->next) {
    struct sctp_status status = {.sstat_assoc_id = one->id};
    socklen_t size = sizeof status;
    if (sctp_opt_info(fd, one->id, SCTP_STATUS, &status, &size) == 0 && status.sstat_unackdata > worst.sstat_unackdata)
      worst = status;
  }
  if (worst.sstat_assoc_id != 0)
    send_to(fd, worst.sstat_assoc_id, NULL, SCTP_ABORT, "you do not read", 15);
}

static void answer(int fd, struct sctp_sndrcvinfo info, const char *bytes, size_t length)
{
  while (send_to(fd, info.sinfo_assoc_id, &info, 0, bytes, length) < 0) {
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    if (errno == EAGAIN) {
      if (poll(&room, 1, 1000) == 0)
        make_room(fd);
    } else if (errno == EINVAL && info.sinfo_stream != 0) {
      info.sinfo_stream = 0;
    } else if (errno != EINTR) {
      return;
    }
  }
}

static void notified(const union sctp_notification *event, size_t size)
{
  print_event(event, size);
  if (event->sn_header.sn_type == SCTP_PARTIAL_DELIVERY_EVENT) {
    drop_pieces(known(event->sn_pdapi_event.pdapi_assoc_id));
  } else if (event->sn_header.sn_type == SCTP_ASSOC_CHANGE) {
    sctp_assoc_t id = event->sn_assoc_change.sac_assoc_id;
    if (event->sn_assoc_change.sac_state == SCTP_COMM_UP || event->sn_assoc_change.sac_state == SCTP_RESTART)
      drop_pieces(known(id));
    else
      forget(id);
  }
}

/* Returns false where nothing has come. */
static int take(int fd)
{
  static union {
    char bytes[MAX_MESSAGE + 1];
    union sctp_notification event;
  } space;
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  struct sctp_sndrcvinfo info;
  int flags = 0;
  ssize_t n = sctp_recvmsg(fd, space.bytes, sizeof space.bytes, (struct sockaddr *)&from, &size, &info, &flags);
  if (n < 0)
    return 0;
  if (flags & MSG_NOTIFICATION) {
    static union { /* larger than any, or what does not fit is left out */
      char bytes[2000];
      union sctp_notification event;
    } whole;
    static size_t length;
    size_t more = (size_t)n < sizeof whole - length ? (size_t)n : sizeof whole - length;
    memcpy(whole.bytes + length, space.bytes, more);
    length += more;
    if (flags & MSG_EOR) {
      notified(&whole.event, length);
      length = 0;
    }
    return 1;
  }
  struct association *association = known(info.sinfo_assoc_id);
  if ((flags & MSG_EOR) && association->length == 0 && n <= MAX_MESSAGE) { /* whole at once */
    report(&info, (size_t)n, &from);
    answer(fd, info, space.bytes, (size_t)n);
    return 1;
  }
  if (association->bytes == NULL && (association->bytes = malloc(MAX_MESSAGE)) == NULL)
    die("memory", strerror(errno));
  if (association->length + (size_t)n <= MAX_MESSAGE) {
    memcpy(association->bytes + association->length, space.bytes, (size_t)n);
    association->length += (size_t)n;
  } else {
    association->length = MAX_MESSAGE + 1;
    send_to(fd, association->id, NULL, SCTP_ABORT, "message too long", 16);
  }
  if (flags & MSG_EOR) {
    if (association->length <= MAX_MESSAGE) {
      report(&info, association->length, &from);
      answer(fd, info, association->bytes, association->length);
    }
    drop_pieces(known(info.sinfo_assoc_id));
  }
  return 1;
}

int main(int argc, char **argv)
{
  int option, count = 0, timeout = 0;
  unsigned short port = 2013;
  char *names[argc];
  me = "event_server";
  while ((option = option_of(argc, argv, "ht:p:a:", usage)) != -1)
    if (option == 't')
      timeout = (int)number_of(optarg, 20, 60000, usage);
    else if (option == 'p')
      port = (unsigned short)number_of(optarg, 0, 65535, usage);
    else
      names[count++] = optarg;
  if (optind < argc)
    misuse(usage);
  watch_signals();
  int fd = open_one_to_many();
  subscribe(fd);
  if (timeout > 0)
    hurry(fd, (unsigned)timeout);
  serve_at(fd, names, count, port);

  struct pollfd either[] = {{.fd = fd, .events = POLLIN}, {.fd = signals[0], .events = POLLIN}};
  do
    if (poll(either, 2, -1) > 0 && either[0].revents != 0)
      take(fd);
  while (either[1].revents == 0);
  while (take(fd))
    ;
  for (struct association *one = all; one != NULL; one = one->next)
    send_to(fd, one->id, NULL, SCTP_EOF, NULL, 0);
  long long until = now() + 5000;
  while (all != NULL && now() < until)
    if (poll(either, 1, 100) > 0)
      take(fd);
  while (all != NULL) {
    send_to(fd, all->id, NULL, SCTP_ABORT, NULL, 0);
    forget(all->id);
  }
  close(fd);
  return 0;
}
