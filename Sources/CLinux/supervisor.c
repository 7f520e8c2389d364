// A supervisor between `pipe` and a stage: no process of a stage outlives the `pipe` that started it.
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int clinux_syncfs(int descriptor) { return syncfs(descriptor) == 0 ? 0 : errno; }

ssize_t clinux_copy_file_range(int input, int output, size_t count) {
  ssize_t copied = copy_file_range(input, NULL, output, NULL, count, 0);
  return copied < 0 ? -errno : copied;
}

// Reads the decimal number at *text and moves past it.
static long number(const char **text) {
  long value = 0;
  while (**text >= '0' && **text <= '9') value = value * 10 + (*(*text)++ - '0');
  return value;
}

// Writes "/proc/self/task/<tid>/children" without stdio, which is not safe after fork.
static int open_children(pid_t pid) {
  char path[64] = "/proc/";
  char digits[16];
  int n = 0;
  long value = pid;
  do digits[n++] = (char)('0' + value % 10); while ((value /= 10) > 0);
  size_t length = strlen(path);
  for (int round = 0; round < 2; round++) {
    for (int i = n - 1; i >= 0; i--) path[length++] = digits[i];
    const char *middle = round == 0 ? "/task/" : "/children";
    memcpy(path + length, middle, strlen(middle));
    length += strlen(middle);
  }
  path[length] = 0;
  return open(path, O_RDONLY | O_CLOEXEC);
}

// Kills every child of this process; as subreaper it inherits the orphans, so a few rounds reach all descendants.
static int kill_children(void) {
  int file = open_children(getpid());
  if (file < 0) return 0;
  char buffer[4096];
  int found = 0;
  ssize_t count = read(file, buffer, sizeof buffer - 1);
  close(file);
  if (count <= 0) return 0;
  buffer[count] = 0;
  const char *cursor = buffer;
  while (*cursor) {
    if (*cursor < '0' || *cursor > '9') { cursor++; continue; }
    long pid = number(&cursor);
    if (*cursor != ' ') break; // cut off by the end of the buffer: another process's number; the next round has it
    if (pid > 1 && kill((pid_t)pid, SIGKILL) == 0) found++;
  }
  return found;
}

static void end_all(pid_t group) {
  kill(-group, SIGKILL);
  for (int round = 0; round < 1000; round++) {
    kill_children();
    pid_t gone = waitpid(-1, NULL, 0);
    if (gone < 0 && errno == ECHILD) return;
  }
}

static void close_all_but(int a, int b) {
  unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);
  if (low > 0) syscall(SYS_close_range, 0u, low - 1, 0u);
  if (high - low > 1) syscall(SYS_close_range, low + 1, high - 1, 0u);
  syscall(SYS_close_range, high + 1, ~0u, 0u);
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

static void report(int control, int status, int start_errno) {
  struct rusage usage;
  memset(&usage, 0, sizeof usage);
  getrusage(RUSAGE_CHILDREN, &usage);
  struct clinux_exit result = {status, start_errno, microseconds(usage.ru_utime), microseconds(usage.ru_stime),
                               usage.ru_maxrss};
  ssize_t ignored = send(control, &result, sizeof result, MSG_NOSIGNAL);
  (void)ignored;
}

// The command itself: in a group of its own, with default signals, then exec.
static void run_command(char *const arguments[], char *const environment[], const char *folder, int output, int failed) {
  setpgid(0, 0);
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < 32; signal++) sigaction(signal, &standard, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0 && dup2(nothing, 0) >= 0 && dup2(output, 1) >= 0 && dup2(output, 2) >= 0 && chdir(folder) == 0) {
    syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
    execve(arguments[0], arguments, environment);
  }
  int code = errno;
  ssize_t ignored = write(failed, &code, sizeof code);
  (void)ignored;
  _exit(127);
}

static void supervise(char *const arguments[], char *const environment[], const char *folder, int output, int control) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "pipe-stage");
  setpgid(0, 0);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  // Take the three standard numbers, so that nothing opened below is overwritten by the command's own.
  int filler;
  while ((filler = open("/dev/null", O_RDWR)) >= 0 && filler < 3) {}
  if (filler >= 3) close(filler);

  int failed[2];
  if (pipe2(failed, O_CLOEXEC) != 0) { report(control, -1, errno); _exit(0); }
  pid_t child = fork();
  if (child < 0) { report(control, -1, errno); _exit(0); }
  if (child == 0) run_command(arguments, environment, folder, output, failed[1]);
  setpgid(child, child);
  close(failed[1]);
  int start_errno = 0;
  if (read(failed[0], &start_errno, sizeof start_errno) != sizeof start_errno) start_errno = 0;
  close(failed[0]);
  close_all_but(control, control);

  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  int signals = signalfd(-1, &ended, SFD_CLOEXEC);
  struct pollfd watched[2] = {{control, POLLIN, 0}, {signals, POLLIN, 0}};
  for (;;) {
    int status;
    pid_t gone;
    while ((gone = waitpid(-1, &status, WNOHANG)) > 0) {
      if (gone != child) continue;
      end_all(child);
      report(control, start_errno ? -1 : status, start_errno);
      _exit(0);
    }
    if (poll(watched, 2, -1) < 0) continue;
    if (watched[1].revents) {
      struct signalfd_siginfo info;
      ssize_t ignored = read(signals, &info, sizeof info);
      (void)ignored;
    }
    if (watched[0].revents) {
      char order = 0;
      ssize_t count = recv(control, &order, 1, MSG_DONTWAIT);
      if (count <= 0) { end_all(child); _exit(1); }
      kill(-child, order == 'I' ? SIGINT : order == 'T' ? SIGTERM : SIGKILL);
    }
  }
}

int clinux_supervise(char *const arguments[], char *const environment[], const char *folder,
                     struct clinux_supervisor *supervisor) {
  int ends[2], output[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  if (pipe2(output, O_CLOEXEC) != 0) {
    int code = errno;
    close(ends[0]);
    close(ends[1]);
    return code;
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = fork();
  if (pid == 0) {
    close_all_but(ends[1], output[1]);
    supervise(arguments, environment, folder, output[1], ends[1]);
  }
  int code = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[1]);
  close(output[1]);
  if (pid < 0) {
    close(ends[0]);
    close(output[0]);
    return code;
  }
  supervisor->output = output[0];
  supervisor->pid = pid;
  supervisor->control = ends[0];
  return 0;
}

void clinux_order(int control, char order) {
  ssize_t ignored = send(control, &order, 1, MSG_NOSIGNAL);
  (void)ignored;
}

int clinux_wait(struct clinux_supervisor *supervisor, struct clinux_exit *result) {
  size_t filled = 0;
  while (filled < sizeof *result) {
    ssize_t count = recv(supervisor->control, (char *)result + filled, sizeof *result - filled, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    filled += (size_t)count;
  }
  int status;
  while (waitpid(supervisor->pid, &status, 0) < 0 && errno == EINTR) {}
  if (filled == sizeof *result) return 0;
  memset(result, 0, sizeof *result);
  result->status = SIGKILL; // the supervisor itself was killed
  return 0;
}
