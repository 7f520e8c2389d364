// A supervisor between `pipe` and a stage: no process of a stage outlives the `pipe` that started it.
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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

void clinux_roomy_heaps(void) {
  // A thread's heap is 64 MB of addresses, opened at once when it begins with as much; the first thread's grows by as much.
  mallopt(M_TOP_PAD, 60 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_MMAP_THRESHOLD, 8 << 20);
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

// Adds what wait4 says of a process, and of those that it waited for, to a result.
static void add_usage(struct clinux_exit *result, const struct rusage *usage) {
  result->user_microseconds += (int64_t)usage->ru_utime.tv_sec * 1000000 + usage->ru_utime.tv_usec;
  result->system_microseconds += (int64_t)usage->ru_stime.tv_sec * 1000000 + usage->ru_stime.tv_usec;
  if (usage->ru_maxrss > result->peak_kilobytes) result->peak_kilobytes = usage->ru_maxrss;
}

// Ends the command's group and whatever else it left; orphans come to this process, which is their subreaper.
static void end_all(pid_t group, struct clinux_exit *result) {
  struct rusage usage;
  pid_t gone;
  while ((gone = wait4(-1, NULL, WNOHANG, &usage)) > 0) add_usage(result, &usage);
  // Nearly always the command was the last of them.
  if (gone < 0 && errno == ECHILD) return;
  kill(-group, SIGKILL);
  for (int round = 0; round < 1000; round++) {
    kill_children();
    gone = wait4(-1, NULL, 0, &usage);
    if (gone < 0 && errno == ECHILD) return;
    if (gone > 0) add_usage(result, &usage);
  }
}

static void close_all_but(int kept) {
  unsigned number = (unsigned)kept;
  if (number > 0) syscall(SYS_close_range, 0u, number - 1, 0u);
  syscall(SYS_close_range, number + 1, ~0u, 0u);
}

// What is asked of a supervisor; a file with the texts and the descriptor of the command's output come with it.
struct request {
  uint32_t arguments;
  uint32_t variables;
  uint64_t size; // of the folder, the arguments and the variables, each with its zero
};

// A command that is about to start: pointers into the texts.
struct command {
  char **arguments;
  char **environment;
  const char *folder;
  int output;
};

// The command itself, in memory that it shares with the supervisor until exec: in a group of its own, with the supervisor's
// standard input. Returns only in the supervisor, with the command's number; *failure is why it could not be started.
static pid_t start_command(const struct command *command, volatile int *failure) {
  pid_t child = vfork();
  if (child != 0) return child;
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (dup2(command->output, 1) >= 0 && dup2(command->output, 2) >= 0 && chdir(command->folder) == 0) {
    syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
    execve(command->arguments[0], command->arguments, command->environment);
  }
  *failure = errno;
  _exit(127);
}

// Waits for the command to end, and passes orders on. Ends this process, and all below it, when `control` closes.
static void attend(pid_t child, int control, int signals, struct clinux_exit *result) {
  struct pollfd watched[2] = {{control, POLLIN, 0}, {signals, POLLIN, 0}};
  for (;;) {
    int status;
    pid_t gone;
    struct rusage usage;
    while ((gone = wait4(-1, &status, WNOHANG, &usage)) > 0) {
      add_usage(result, &usage);
      if (gone != child) continue;
      end_all(child, result);
      result->status = status;
      return;
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
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (count <= 0) {
        end_all(child, result);
        _exit(1);
      }
      kill(-child, order == 'I' ? SIGINT : order == 'T' ? SIGTERM : SIGKILL);
    }
  }
}

// Lays the pointers to the texts out behind them. Returns 0 when the texts are not as many as was said.
static int divide(const struct request *request, char *texts, struct command *command) {
  char **pointers = (char **)(texts + (request->size + 7) / 8 * 8);
  char *cursor = texts, *end = texts + request->size;
  size_t count = 1 + (size_t)request->arguments + request->variables;
  command->arguments = pointers;
  command->environment = pointers + request->arguments + 1;
  for (size_t index = 0; index < count; index++) {
    size_t length = strnlen(cursor, (size_t)(end - cursor));
    if (cursor + length >= end) return 0;
    if (index == 0) command->folder = cursor;
    else if (index <= request->arguments) command->arguments[index - 1] = cursor;
    else command->environment[index - 1 - request->arguments] = cursor;
    cursor += length + 1;
  }
  command->arguments[request->arguments] = NULL;
  command->environment[request->variables] = NULL;
  return request->arguments > 0;
}

static size_t room(const struct request *request) {
  return (request->size + 7) / 8 * 8 + ((size_t)request->arguments + request->variables + 2) * sizeof(char *);
}

static void run_request(const struct request *request, int texts_file, int output, int control, int signals) {
  struct clinux_exit result;
  memset(&result, 0, sizeof result);
  result.status = -1;
  size_t size = room(request);
  struct command command = {NULL, NULL, NULL, output};
  char *texts = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (texts == MAP_FAILED) {
    result.start_errno = errno;
  } else if (pread(texts_file, texts, request->size, 0) != (ssize_t)request->size || !divide(request, texts, &command)) {
    result.start_errno = EINVAL;
  } else {
    volatile int failure = 0;
    pid_t child = start_command(&command, &failure);
    if (child < 0) failure = errno;
    close(texts_file);
    close(output);
    texts_file = output = -1;
    if (child > 0) {
      setpgid(child, child);
      attend(child, control, signals, &result);
    }
    if (failure != 0) {
      result.status = -1;
      result.start_errno = failure;
    }
  }
  if (texts_file >= 0) close(texts_file);
  if (output >= 0) close(output);
  if (texts != MAP_FAILED) munmap(texts, size);
  ssize_t ignored = send(control, &result, sizeof result, MSG_NOSIGNAL);
  (void)ignored;
}

static void supervise(int control) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "pipe-stage");
  setpgid(0, 0);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  // Commands inherit what is set here: default signals, nothing to read.
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < 32; signal++) sigaction(signal, &standard, NULL);
  // With a number of its own, also where `pipe` itself was started without standard input.
  if (control < 3) {
    int moved = fcntl(control, F_DUPFD_CLOEXEC, 3);
    close(control);
    control = moved;
  }
  // Take the three standard numbers, so that nothing opened below is overwritten by the command's own.
  int filler;
  while ((filler = open("/dev/null", O_RDONLY)) >= 0 && filler < 3) {}
  if (filler >= 3) close(filler);
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  int signals = signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);

  for (;;) {
    struct request request;
    union {
      char bytes[CMSG_SPACE(2 * sizeof(int))];
      struct cmsghdr aligned;
    } rights;
    struct iovec piece = {&request, sizeof request};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = rights.bytes;
    message.msg_controllen = sizeof rights.bytes;
    ssize_t count = recvmsg(control, &message, MSG_CMSG_CLOEXEC);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(0);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    // An order that came when the command had ended is about nothing.
    if (count != sizeof request || !header || header->cmsg_len != CMSG_LEN(2 * sizeof(int))) continue;
    int files[2];
    memcpy(files, CMSG_DATA(header), sizeof files);
    run_request(&request, files[0], files[1], control, signals);
  }
}

int clinux_supervisor_open(struct clinux_supervisor *supervisor) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = fork();
  if (pid == 0) {
    close_all_but(ends[1]);
    supervise(ends[1]);
  }
  int code = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return code;
  }
  supervisor->pid = pid;
  supervisor->control = ends[0];
  return 0;
}

static int send_request(int control, const struct request *request, int texts, int output) {
  union {
    char bytes[CMSG_SPACE(2 * sizeof(int))];
    struct cmsghdr aligned;
  } rights;
  memset(&rights, 0, sizeof rights);
  struct iovec piece = {(void *)request, sizeof *request};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = rights.bytes;
  message.msg_controllen = sizeof rights.bytes;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(2 * sizeof(int));
  int files[2] = {texts, output};
  memcpy(CMSG_DATA(header), files, sizeof files);
  ssize_t count;
  while ((count = sendmsg(control, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR) {}
  return count == (ssize_t)sizeof *request ? 0 : errno;
}

int clinux_supervisor_run(const struct clinux_supervisor *supervisor, const char *texts, size_t size, uint32_t arguments,
                          uint32_t variables, int *output) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  int code = 0;
  int file = memfd_create("pipe-command", MFD_CLOEXEC);
  if (file < 0) code = errno;
  size_t written = 0;
  while (code == 0 && written < size) {
    ssize_t count = pwrite(file, texts + written, size - written, (off_t)written);
    if (count < 0 && errno != EINTR) code = errno;
    if (count > 0) written += (size_t)count;
  }
  struct request request = {arguments, variables, size};
  if (code == 0) code = send_request(supervisor->control, &request, file, ends[1]);
  if (file >= 0) close(file);
  close(ends[1]);
  if (code != 0) close(ends[0]);
  *output = ends[0];
  return code;
}

void clinux_order(int control, char order) {
  ssize_t ignored = send(control, &order, 1, MSG_NOSIGNAL);
  (void)ignored;
}

int clinux_supervisor_wait(const struct clinux_supervisor *supervisor, struct clinux_exit *result) {
  ssize_t count;
  while ((count = recv(supervisor->control, result, sizeof *result, 0)) < 0 && errno == EINTR) {}
  if (count == (ssize_t)sizeof *result) return 0;
  memset(result, 0, sizeof *result);
  result->status = SIGKILL; // the supervisor itself was killed
  return 1;
}

void clinux_supervisor_close(const struct clinux_supervisor *supervisor) {
  close(supervisor->control);
  int status;
  while (waitpid(supervisor->pid, &status, 0) < 0 && errno == EINTR) {}
}
