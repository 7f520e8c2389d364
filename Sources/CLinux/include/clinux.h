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

/// Heaps that grow in large steps and keep what they have. For the start of a process.
void clinux_roomy_heaps(void);

/// What a supervised command ended with.
struct clinux_exit {
  int32_t status;            // wait status of the command; -1 if it could not be started
  int32_t start_errno;       // why it could not be started
  int64_t user_microseconds; // of the command and all its descendants
  int64_t system_microseconds;
  int64_t peak_kilobytes;    // largest resident set of one process among them
};

/// A supervisor: a process that runs one command after the other, each in a process group of its own.
///
/// It is a fork of the caller that runs only async-signal-safe code, made once for many commands: a fork copies the
/// caller's page tables, which takes longer than starting a shell. It holds one end of `control`: when the other end
/// closes, by intent or because the caller died in whatever way, it kills the command's group and every descendant, also
/// those that left the group (it is their subreaper). When a command ends by itself, what it left running is ended too.
struct clinux_supervisor {
  pid_t pid;
  int control;
};

/// Starts a supervisor. Returns 0 or errno.
int clinux_supervisor_open(struct clinux_supervisor *supervisor);

/// Has a supervisor that is at rest run a command.
///
/// texts: working directory, `arguments` arguments and `variables` variables, each with a zero at its end, `size` bytes in
/// all. Standard input is /dev/null. output: gets what the command writes to standard output and error; it ends when
/// nothing can write any more, and the caller closes it. Returns 0 or errno.
int clinux_supervisor_run(const struct clinux_supervisor *supervisor, const char *texts, size_t size, uint32_t arguments,
                          uint32_t variables, int *output);

/// Sends an order to a supervisor: 'I', 'T' or 'K' signals the command's group; without a command it does nothing.
void clinux_order(int control, char order);

/// Waits for the command to end. Returns 0, or 1 when the supervisor itself is gone; then the result says so.
int clinux_supervisor_wait(const struct clinux_supervisor *supervisor, struct clinux_exit *result);

/// Ends a supervisor with all it runs, and waits until it is gone.
void clinux_supervisor_close(const struct clinux_supervisor *supervisor);

#endif
