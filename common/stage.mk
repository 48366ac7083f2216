# stage.mk - what every stage's Makefile does: one program from each .c file of the folder, with all of common/
#
#   make            builds the programs
#   make clean      removes them
#   make CC=clang   with another compiler (after make clean)

CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic
COMMON := $(dir $(lastword $(MAKEFILE_LIST)))
TARGETS ?= $(patsubst %.c,%,$(wildcard *.c))
OBJECTS = $(patsubst $(COMMON)%.c,build/common-%.o,$(wildcard $(COMMON)*.c))
COMPILE = $(CC) -std=c11 -D_DEFAULT_SOURCE $(WARNINGS) -I$(COMMON) -MMD -MP $(CPPFLAGS) $(CFLAGS)

all: $(TARGETS)

common: $(OBJECTS)

$(TARGETS): %: build/%.o $(OBJECTS)
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lsctp $(LIBRARIES)

build/common-%.o: $(COMMON)%.c | build
	@$(COMPILE) -c -o $@ $<

build/%.o: %.c | build
	@$(COMPILE) -c -o $@ $<

build:
	@mkdir -p $@

clean:
	@rm -rf build $(TARGETS)

# What a reader may type while still in the folder of a stage.
ELSEWHERE = demo exercise failover help nat shell site test trace
$(ELSEWHERE):
	@printf 'make %s works in the folder of the course, where README.md is\n' $@ >&2; exit 2

.PHONY: all common clean $(ELSEWHERE)
.SECONDARY:
-include $(wildcard build/*.d)
