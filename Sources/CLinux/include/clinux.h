// Linux calls that Swift's Glibc module does not show, and the supervisor of a stage's processes.
// SPDX-License-Identifier: Apache-2.0
#ifndef PIPE_CLINUX_H
#define PIPE_CLINUX_H

#include <stdint.h>
#include <sys/types.h>

/// syncfs(2). Returns 0 or errno.
int clinux_syncfs(int descriptor);

/// copy_file_range(2) from and to where the descriptors stand. Returns bytes copied or a negative errno.
ssize_t clinux_copy_file_range(int input, int output, size_t count);

/// What a supervised command ended with.
struct clinux_exit {
  int32_t status;            // wait status of the command; -1 if it could not be started
  int32_t start_errno;       // why it could not be started
  int64_t user_microseconds; // of the command and all its descendants
  int64_t system_microseconds;
  int64_t peak_kilobytes;    // largest resident set of one process among them
};

/// A running supervisor.
struct clinux_supervisor {
  pid_t pid;
  int control; // write 'I', 'T' or 'K' to signal the command's group; closing it kills all
  int output;  // what the command writes to standard output and error; ends when nothing can write any more
};

/// Starts a command in a process group of its own, under a supervisor process that outlives this one just long
/// enough to end the command and everything it started.
///
/// The supervisor is a fork of the caller that runs only async-signal-safe code. It holds one end of `control`:
/// when the other end closes, by intent or because the caller died in whatever way, it kills the command's group
/// and every descendant, also those that left the group (it is their subreaper). When the command ends by itself,
/// what it left running is ended too.
///
/// arguments, environment: NULL-terminated. folder: working directory. Standard input is
/// /dev/null. The caller closes `control` and `output`. Returns 0 or errno.
int clinux_supervise(char *const arguments[], char *const environment[], const char *folder,
                     struct clinux_supervisor *supervisor);

/// Sends an order ('I', 'T' or 'K') to a supervisor; one that has ended is passed over.
void clinux_order(int control, char order);

/// Waits for the supervisor to end and takes its report. `control` stays open for the caller to close. Returns 0.
int clinux_wait(struct clinux_supervisor *supervisor, struct clinux_exit *result);

#endif
