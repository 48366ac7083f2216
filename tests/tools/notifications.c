// notifications - prints notifications of every type and many sizes by notification.h: known and unknown, whole and cut
//
// Usage: notifications     to be run under valgrind, which sees whether it reads what has not come
// Compile:  cc -I../../common -o notifications notifications.c ../../common/*.c -lsctp
#include "../../03-events/notification.h"

#include <stdlib.h>

int main(void)
{
  static const uint16_t types[] = {0,      0x8000, 0x8001, 0x8002, 0x8003, 0x8004, 0x8005, 0x8006, 0x8007,
                                   0x8008, 0x8009, 0x800a, 0x800b, 0x800c, 0x800d, 0x800e, 0xffff};
  for (size_t t = 0; t < sizeof types / sizeof *types; t++)
    for (size_t size = 0; size <= 150; size += size == 50 ? 90 : 1)
      for (int fill = 0; fill <= 0xff; fill += 0x55) {
        unsigned char *bytes = malloc(size + (size == 0)); /* of just this size, so that a byte too far is noticed */
        if (bytes == NULL)
          err(1, "malloc");
        memset(bytes, fill, size);
        if (size >= 2)
          memcpy(bytes, &types[t], 2);
        print_notification((const union sctp_notification *)bytes, size, fill != 0xaa);
        free(bytes);
      }
  return 0;
}
