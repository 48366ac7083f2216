/* cpu.h - a processor for each lab */
#ifndef LAB_CPU_H
#define LAB_CPU_H

/*
 * Keeps this process, and all that it will start, to one processor: of those that it may run on, the one that fewest
 * labs use. A lab has no use for two: its kernel stops whenever a program in it runs, and the other way round, and each
 * such change takes four times as long when it goes from one processor to another.
 *
 * The claim ends with the last of these processes. Where there is none to be had, all stays as it was.
 */
void cpu_settle(void);

#endif
