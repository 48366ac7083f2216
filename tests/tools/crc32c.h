/* crc32c.h - the checksum of SCTP packets, as RFC 9260, appendix A, has it; in the packet it stands little endian */
#ifndef TOOLS_CRC32C_H
#define TOOLS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t crc32c(const void *bytes, size_t length)
{
  uint32_t crc = 0xffffffff;
  for (const uint8_t *byte = bytes; length > 0; byte++, length--) {
    crc ^= *byte;
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

#endif
