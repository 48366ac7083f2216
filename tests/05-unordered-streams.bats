#!/usr/bin/env bats
# Stage 05: the chat with names and rooms. Every test holds for any correct implementation.

load helper/course
load helper/chat
STAGE=05-unordered-streams
