# The front door of the course: `make help` lists what there is.

STAGES := $(patsubst %/Makefile,%,$(wildcard 0[1-9]-*/Makefile appendix/Makefile))
MAKEFLAGS += --no-print-directory

all: $(STAGES) ## builds every stage (the default)

$(STAGES): | setup-build
	@$(MAKE) -s -C $@

demo: setup-demo ## shows the chat: four SCTP clients in one room
	@$(MAKE) all
	@lab/run 04-sendall/demo
	@if [ -t 0 ] && [ -t 1 ]; then printf '\nYour turn: "make shell" opens a shell where SCTP works.\n'; fi

test: setup-test ## runs every test
	@$(MAKE) all
	@tests/run

test-class: setup-test setup-class ## grades a made-up class of 60 twice, an hour or more, and compares all marks; CLASS_FLAGS=-q: the tests that matter
	@$(MAKE) all
	@tests/class-of-60 $(CLASS_FLAGS)

test-%: setup-test ## runs the tests of one stage (01-one-to-one, ...), or of the lab (lab), or the build (build)
	@$(MAKE) all
	@tests/run $*

test-sanitize: setup-test ## runs the stages' tests with programs that watch their own memory (ASan, LSan, UBSan), natively or on QEMU
	@$(MAKE) all
	@tests/sanitize $(STAGE)

exercise: setup-test ## tells whether you have solved an exercise of TUTORIAL.md: make exercise N=02.3
	@$(MAKE) all
	@tests/exercise $(N)

mutants: setup-test ## tries wrong programs, each of which must lose points, and other correct ones (an hour; STAGE=, NAME=, MUTANTS_FLAGS=-q: quick)
	@$(MAKE) all
	@tests/mutants/run $(addprefix -s ,$(STAGE)) $(addprefix -n ,$(NAME)) $(MUTANTS_FLAGS)

trace: ## shows the packets of a stage as a ladder: make trace STAGE=01-one-to-one
	@[ -x '$(STAGE)/demo' ] || { echo 'make trace STAGE=...: there are $(patsubst %/demo,%,$(wildcard 0*/demo))' >&2; exit 2; }
	@$(MAKE) setup-trace $(STAGE)
	@mkdir -p build
	@lab/trace -o 'build/$(STAGE).svg' -t '$(STAGE)' '$(STAGE)/demo'
	@echo 'As a picture: build/$(STAGE).svg'

failover: setup-trace 03-events ## cuts the path of a conversation, with short timeouts and with the usual ones (a minute)
	@lab/run 03-events/failover

schedulers: setup-trace appendix ## times a chat beside a file in one association, with each stream scheduler (half a minute)
	@appendix/schedulers

nat: setup-trace 01-one-to-one ## sends SCTP through a home router, plain and in UDP
	@appendix/through-nat

bench: setup-bench ## measures the servers against other programs, in a quarter of an hour; BENCH_FLAGS=-q: a quick look
	@bench/run $(BENCH_FLAGS)

hol: setup-hol 05-unordered-streams ## measures head-of-line blocking (five minutes); HOL_FLAGS=-q: a quick look
	@05-unordered-streams/hol $(HOL_FLAGS)

figures: setup-figures ## draws the figures anew, each from a real run (half an hour); FIGURES="01-association 05-chat": these alone
	@$(MAKE) all
	@figures/draw $(FIGURES)

site: setup-site ## makes the tutorial and its programs a site to read in a browser: build/site/index.html (half a minute)
	@site/build

handout: ## for courses: writes build/handout, with starters for students; STAGE=04-sendall: for one stage
	@grade/handout $(if $(STAGE),-s '$(STAGE)')

lab-kernel: ## builds the lab kernel of the course, once: it makes the lab many times as fast
	@lab/build-kernel

# A tmux in the lab must not take the socket of one outside, with which it shares /tmp, but no kernel.
shell: setup-lab ## opens a shell where SCTP works
	@sockets=$$(mktemp -d) && { lab/run env -u TMUX TMUX_TMPDIR="$$sockets" $${SHELL:-/bin/sh}; rm -r "$$sockets"; }

grade: setup-grade ## grades what a student has handed in: make grade SUBMISSION=path STAGE=04-sendall; without SUBMISSION, this folder
	@$(MAKE) all
	@grade/grade $(addprefix -s ,$(STAGE)) $(FURTHER) $(if $(OUT),-o "$$OUT") -- "$${SUBMISSION:-.}"

# For who teaches a course. OUT is where a class is graded into.
grade-class: setup-class ## grades a class: make grade-class SUBMISSIONS=folder STAGE=04-sendall; also HIDDEN=, WEIGHTS=, SSHLOGIN=, OUT=grades
	@$(MAKE) all
	@grade/class $(CLASS_OPTIONS) $(addprefix -S ,$(SSHLOGIN)) $(if $(JOBS),-j '$(JOBS)') -o "$${OUT:-grades}" -- "$$SUBMISSIONS"

regrade: setup-class ## grades one student of a class again: make regrade STUDENT=name
	@$(MAKE) all
	@[ -n "$$STUDENT" ] || { echo 'make regrade STUDENT=name: there are the names of grades.csv; OUT= is the folder of the grades, where it is not grades' >&2; exit 2; }
	@grade/class $(CLASS_OPTIONS) -r "$$STUDENT" -o "$${OUT:-grades}" -- $(if $(SUBMISSIONS),"$$SUBMISSIONS")

gradescope: setup-class ## packs an autograder for Gradescope, build/gradescope.zip: make gradescope STAGE=04-sendall
	@grade/gradescope/pack $(CLASS_OPTIONS) build/gradescope.zip

classroom: ## writes a workflow for GitHub Classroom, build/classroom.yml: make classroom STAGE=04-sendall
	@grade/classroom/write $(addprefix -s ,$(STAGE)) build/classroom.yml

# What may hold any character comes to the shell by its environment.
FURTHER = $(if $(HIDDEN),-x "$$HIDDEN") $(if $(WEIGHTS),-w "$$WEIGHTS") $(if $(TESTS),-t "$$TESTS")
CLASS_OPTIONS = $(addprefix -s ,$(STAGE)) $(FURTHER)
export SUBMISSION SUBMISSIONS STUDENT HIDDEN WEIGHTS TESTS OUT
.PHONY: grade-class regrade gradescope classroom

# What is committed, and nothing else; the same commit gives the same bytes. A copy that has no git has its commit in grade/commit (grade/version).
dist: ## for who changes the course: packs what is committed as build/sctp-course-VERSION.tar.gz
	@[ -e .git ] || { echo 'make dist packs a commit, and this is no clone' >&2; exit 2; }
	@if [ -n "$$(git status --porcelain)" ]; then echo 'What is not committed is left out:' && git status --short; fi
	@mkdir -p build
	@version=sctp-course-$$(git show HEAD:VERSION) && \
	    git archive --prefix="$$version/" --add-virtual-file="$$version/grade/commit:$$(git describe --always)" -o "build/$$version.tar" HEAD && \
	    gzip -9nf "build/$$version.tar" && echo "The course, version $${version##*-}: build/$$version.tar.gz"

check: ## for who changes the course: style and static analysis
	@tests/check

clean: ## removes all that was built
	@for stage in $(STAGES); do $(MAKE) -s -C $$stage clean; done
	@$(MAKE) -s -C bench clean
	@$(MAKE) -s -C lab clean
	@rm -rf build

help: ## lists what there is
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { sub(/%/, "STAGE", $$1); printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup-%:
	@lab/setup $*

.PHONY: all demo test test-class test-sanitize exercise mutants trace failover schedulers nat bench hol figures site handout lab-kernel shell grade dist check clean help $(STAGES)
