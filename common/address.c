/* address.c - see address.h */
#include "address.h"
#include "options.h"

#include <arpa/inet.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As resolve_host(), but returns NULL where the name cannot be resolved, and says so on standard error. */
static struct addrinfo *find_host(const char *host, uint16_t port)
{
  char service[8];
  snprintf(service, sizeof service, "%u", port);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
  struct addrinfo *list;
  /* localhost is the loopback address, also where no file and no server says so (RFC 6761, 6.3): NULL means it. */
  const char *name = strcmp(host, "localhost") == 0 ? NULL : host;
  int error = getaddrinfo(name, service, &hints, &list);
  if (error != 0)
    warnx("cannot resolve %s: %s", host, gai_strerror(error));
  return error == 0 ? list : NULL;
}

struct addrinfo *resolve_host(const char *host, uint16_t port)
{
  struct addrinfo *list = find_host(host, port);
  if (list == NULL)
    exit(EXIT_FAILURE);
  return list;
}

struct addrinfo *resolve_operand(const char *operand, uint16_t port, const char *usage)
{
  char host[256];
  const char *begin = operand, *end = operand + strcspn(operand, ":"), *rest = end;
  if (*operand == '[') {
    begin = operand + 1;
    end = begin + strcspn(begin, "]");
    rest = *end == ']' ? end + 1 : end;
  }
  bool ends_well = *rest == '\0' || (*rest == ':' && strchr(rest + 1, ':') == NULL);
  if (end == begin || (*operand == '[') != (*end == ']') || !ends_well || end - begin >= (ptrdiff_t)sizeof host)
    usage_error(usage, "'%s' is not HOST or HOST:PORT (an IPv6 address goes in brackets: [::1]:2013)", operand);
  snprintf(host, sizeof host, "%.*s", (int)(end - begin), begin);
  return find_host(host, *rest == ':' ? parse_port(rest + 1, 1, usage) : port);
}

/* True where this kernel has IPv6: a container's may not. */
static bool have_ipv6(void)
{
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  if (fd >= 0)
    close(fd);
  return fd >= 0;
}

void local_name(struct local_addresses *local, const char *name, const char *usage)
{
  if (local->names == sizeof local->name / sizeof *local->name)
    usage_error(usage, "at most %d addresses", local->names);
  local->name[local->names++] = name;
}

static void append(struct local_addresses *local, const void *address, size_t length)
{
  memcpy(local->bytes + local->length, address, length);
  local->length += length;
  if (local->count++ == 0)
    local->first = length;
}

void local_resolve(struct local_addresses *local, uint16_t port)
{
  local->family = AF_INET;
  for (int i = 0; i < local->names; i++) {
    struct addrinfo *list = resolve_host(local->name[i], port);
    append(local, list->ai_addr, list->ai_addrlen);
    if (list->ai_family == AF_INET6)
      local->family = AF_INET6;
    freeaddrinfo(list);
  }
  if (local->names == 0 && have_ipv6()) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
    local->family = AF_INET6;
    append(local, &any, sizeof any);
  } else if (local->names == 0) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
    append(local, &any, sizeof any);
  }
}

const char *address_text(const struct sockaddr *address, char text[ADDRESS_TEXT])
{
  char host[INET6_ADDRSTRLEN] = "?";
  unsigned port = 0;
  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)address;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    port = ntohs(in->sin_port);
  } else if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const void *)address;
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
      inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], host, sizeof host);
    else
      inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    port = ntohs(in6->sin6_port);
  }
  snprintf(text, ADDRESS_TEXT, "%s port %u", host, port);
  return text;
}

uint16_t bound_port(int fd)
{
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
    err(1, "getsockname");
  /* The port lies at the same place in both families. */
  return ntohs(((struct sockaddr_in *)&address)->sin_port);
}
