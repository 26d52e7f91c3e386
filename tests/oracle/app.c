/* A stand-in for the program of a container: does what /.oracle/programs/<its own name> says and logs to /.oracle/log.
 *
 * Its file has one setting a line, the later one wins:
 *   end N...        signal numbers: log, work for `cleanup` ms, log that it is done, exit
 *   keep N...       signal numbers: log and go on
 *   cleanup MS      how long the work takes
 *   code N          the exit code
 *   style WORD      serve (wait for signals), daemon (as serve, in the background), brief (exit at once)
 *   if TEXT         what follows holds only when an argument contains TEXT; `if` alone: holds always
 *   unless TEXT     the opposite
 * All other signals keep their default. A line of the log is `PID NAME EVENT`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IGNORED = 0, KEEP = 1, END = 2 };

static char name[256];
static char style[16] = "serve";
static int action[NSIG], code, log_fd;
static long cleanup;
static volatile sig_atomic_t got;

static void note_signal(int number) { got = number; }

static void say(const char *event, const char *detail)
{
    char line[512];
    int length = snprintf(line, sizeof line, "%d %s %s%s\n", getpid(), name, event, detail);
    if (write(log_fd, line, length) < 0)
        _exit(70);
}

static void find_name(void)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0)
        _exit(71);
    path[length] = 0;
    snprintf(name, sizeof name, "%s", strrchr(path, '/') + 1);
}

static int mentioned(const char *text, char **arguments)
{
    for (; *arguments; arguments++)
        if (strstr(*arguments, text))
            return 1;
    return 0;
}

static void set_actions(char *numbers, int what)
{
    char *rest, *word;
    for (int i = 0; i < NSIG; i++)
        if (action[i] == what)
            action[i] = IGNORED;
    for (word = strtok_r(numbers, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        action[atoi(word)] = what;
}

static void read_settings(char **arguments)
{
    char path[512], line[1024];
    int holds = 1;
    snprintf(path, sizeof path, "/.oracle/programs/%s", name);
    FILE *file = fopen(path, "r");
    if (!file)
        return;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *value = strchr(line, ' ');
        if (value)
            *value++ = 0;
        else
            value = "";
        if (!strcmp(line, "if"))
            holds = !*value || mentioned(value, arguments);
        else if (!strcmp(line, "unless"))
            holds = !mentioned(value, arguments);
        else if (!holds)
            continue;
        else if (!strcmp(line, "end"))
            set_actions(value, END);
        else if (!strcmp(line, "keep"))
            set_actions(value, KEEP);
        else if (!strcmp(line, "cleanup"))
            cleanup = atol(value);
        else if (!strcmp(line, "code"))
            code = atoi(value);
        else if (!strcmp(line, "style"))
            snprintf(style, sizeof style, "%s", value);
    }
    fclose(file);
}

static void work(long milliseconds)
{
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static void serve(void)
{
    sigset_t caught, none;
    struct sigaction handler = {.sa_handler = note_signal};
    sigemptyset(&caught);
    sigemptyset(&none);
    for (int i = 1; i < NSIG; i++)
        if (action[i])
            sigaddset(&caught, i);
    /* Blocked until sigsuspend, so that none is lost between two looks at `got`. */
    sigprocmask(SIG_SETMASK, &caught, NULL);
    for (int i = 1; i < NSIG; i++)
        if (action[i])
            sigaction(i, &handler, NULL);
    say("READY", "");
    puts("running");
    fflush(stdout);
    for (;;) {
        sigsuspend(&none);
        if (!got)
            continue;
        int number = got;
        got = 0;
        char detail[16];
        snprintf(detail, sizeof detail, " %d", number);
        say("GOT", detail);
        if (action[number] == KEEP)
            continue;
        work(cleanup);
        say("DONE", "");
        exit(code);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--make-orphans")) {
        for (int left = atoi(argv[2]); left > 0; left--) {
            if (!fork()) {
                if (!fork())
                    work(100);
                _exit(0);
            }
            wait(NULL);
        }
        return 0;
    }
    log_fd = open("/.oracle/log", O_WRONLY | O_APPEND | O_CLOEXEC);
    if (log_fd < 0) {
        perror("/.oracle/log");
        return 74;
    }
    find_name();
    read_settings(argv + 1);
    if (!strcmp(style, "brief"))
        return code;
    if (!strcmp(style, "daemon")) {
        if (fork())
            return 0;
        setsid();
    }
    serve();
}
