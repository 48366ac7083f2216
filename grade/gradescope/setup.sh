#!/usr/bin/env bash
# setup.sh - makes an image of Gradescope's able to grade; Gradescope runs it once, as root, in /autograder/source (as `make gradescope` has packed it)
#
# Base image: Ubuntu 24.04 or later (else 22.04), variant "Base". Gradescope offers no Debian. Students' programs run in a User Mode Linux kernel of their
# own, which Ubuntu has no package of: `make gradescope` packs the one that `make lab-kernel` has built, else it is built here, from Ubuntu's source of Linux.
# From Linux 6.16 on it needs nothing of the container; an older one needs ptrace, which Docker allows by default since Linux 4.8.
# This has not been run on Gradescope itself.
set -euo pipefail

source=$(cd "${BASH_SOURCE[0]%/*}" && pwd)/course
cd "$source"
export LAB_UML=$source/grade/gradescope/linux DEBIAN_FRONTEND=noninteractive
if [[ -x $LAB_UML ]]; then
    lab/setup grade
fi
if [[ ! -x $LAB_UML ]] || ! lab/run --kernel uml true; then
    unset LAB_UML
    lab/setup kernel source
    lab/build-kernel
    install -m 755 "$(lab/build-kernel --path)" grade/gradescope/linux
    export LAB_UML=$source/grade/gradescope/linux
    lab/setup grade
    lab/run --kernel uml true
fi
make -s -C grade && make -s -C tests/tools && make -s -C bench fanout
