/* words.c - the last words of ranks that end the job.
 * SPDX-License-Identifier: MIT
 *
 * Often all ranks fail alike, at about the same time, and one text is enough. So a rank
 * writes its text on a board that all ranks of the node see. The first to come is the
 * speaker: it waits until no more come, and prints what they have written, the same
 * text once. The others wait until that is done. Nobody waits for long: a rank that is
 * not heard in time speaks for itself.
 *
 * Where a rank ends that SIGINT or SIGTERM has reached, and another one has ended before
 * it, that is why the signal came, and the signal is not worth a word.
 */
#include "words.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "say.h"
#include "wait.h"

enum {
    TEXT_BYTES = 65536 - 64,
    TEXTS_MAX = 8, /* that differ, and are printed at once */
};

static const int64_t pause_ns = 5000000;
static const int64_t quiet_ns = 200000000; /* nobody has come for so long: that was all */
static const int64_t round_ns = 600000000; /* a speaker waits no longer than that */
static const int64_t heard_ns = 1000000000; /* who has not been heard by then speaks */

enum { SILENT, WRITTEN, TELLING, TOLD };

/* A rank of the node, and what it has to say. */
typedef struct slot {
    int rank, pid;
    ino_t pid_namespace;
    atomic_int state;
    atomic_bool may_go; /* its end is no riddle: it has left the job, or said why */
    int code;
    unsigned order; /* who came first */
    char text[TEXT_BYTES];
} slot;

typedef struct board {
    atomic_uint written; /* texts so far */
    atomic_int speaker;  /* 1 + the number of its slot; 0 while there is none */
    atomic_int first_code;
    atomic_bool failed; /* a rank has, by itself */
    atomic_bool told;   /* a speaker has */
    atomic_bool crashed;
    slot slots[];
} board;

static struct {
    board *board;
    slot *mine;
    int slots;
    char name[SAY_NAME_BYTES];
} here;

/* ---- who this is --------------------------------------------------------- */

static ino_t pid_namespace(void)
{
    struct stat found;

    return stat("/proc/self/ns/pid", &found) ? 0 : found.st_ino;
}

void words_open(MPI_Comm node, int rank, int size)
{
    int mine;

    say_configure(size);
    say_name(here.name, rank, getpid());
    if (size == 1)
        return;
    MPI_Comm_rank(node, &mine);
    MPI_Comm_size(node, &here.slots);
    here.board = board_open(node, sizeof(board) + (size_t)here.slots * sizeof(slot));
    if (!here.board)
        return;
    here.mine = &here.board->slots[mine];
    here.mine->rank = rank;
    here.mine->pid_namespace = pid_namespace();
    here.mine->pid = getpid();
}

void words_close(void)
{
    if (here.mine)
        here.mine->may_go = true;
}

void words_fail(void)
{
    if (!here.board)
        return;
    here.board->failed = true;
    here.mine->may_go = true;
}

const char *words_name(void)
{
    return here.name;
}

bool words_crash(void)
{
    if (!here.board)
        return true;
    here.board->failed = true;
    here.mine->may_go = true;
    return !atomic_exchange(&here.board->crashed, true);
}

/* Whether CODE is the status of a rank that SIGINT or SIGTERM has reached. */
static bool is_signal(int code)
{
    return code == 128 + SIGINT || code == 128 + SIGTERM;
}

/* ---- the same text of several ranks --------------------------------------- */

/* The number at *AT, which moves behind it. */
static unsigned long long number(const char **at, int base)
{
    char *end;
    unsigned long long value = strtoull(*at, &end, base);

    *at = end;
    return value;
}

static bool both_begin(const char *x, const char *y, const char *word)
{
    return !strncmp(x, word, strlen(word)) && !strncmp(y, word, strlen(word));
}

/* Whether A and B differ in nothing but addresses, and in their own ranks. */
static bool is_same(const slot *a, const slot *b)
{
    const char *x = a->text, *y = b->text;

    while (*x && *x == *y) {
        bool address = both_begin(x, y, "0x"), rank = both_begin(x, y, "rank ");
        unsigned long long one, other;

        x += rank ? 5 : address ? 2 : 1;
        y += rank ? 5 : address ? 2 : 1;
        if (!rank && !address)
            continue;
        one = number(&x, rank ? 10 : 16);
        other = number(&y, rank ? 10 : 16);
        if (rank && one != other &&
            (one != (unsigned)a->rank || other != (unsigned)b->rank))
            return false;
    }
    return *x == *y;
}

/* ---- what the speaker does ------------------------------------------------ */

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
}

static bool is_awaited(const slot *one)
{
    return one->state == SILENT && !one->may_go;
}

/* Whether ONE, that has not said why, is not there any more. */
static bool is_dead(const slot *one)
{
    return is_awaited(one) && one->pid_namespace == here.mine->pid_namespace &&
           kill(one->pid, 0) < 0 && errno == ESRCH;
}

static bool all_have_come(void)
{
    for (int i = 0; i < here.slots; i++)
        if (is_awaited(&here.board->slots[i]) && !is_dead(&here.board->slots[i]))
            return false;
    return true;
}

static void wait_for_others(void)
{
    int64_t start = wait_now_ns(), news = start, now = start;
    unsigned written = here.board->written;

    while (!all_have_come() && now - start < round_ns && now - news < quiet_ns) {
        rest();
        now = wait_now_ns();
        if (here.board->written != written)
            news = now;
        written = here.board->written;
    }
}

/* Those who have written and not been heard, the first first. */
static int collect(slot **found)
{
    int count = 0;

    for (int i = 0; i < here.slots; i++) {
        slot *one = &here.board->slots[i];
        int at = count, state = WRITTEN;

        if (!atomic_compare_exchange_strong(&one->state, &state, TELLING))
            continue;
        for (; at && found[at - 1]->order > one->order; at--)
            found[at] = found[at - 1];
        found[at] = one;
        count++;
    }
    return count;
}

/* Whether what ONE says has been said in an earlier round, or is not worth a word. */
static bool is_old(const slot *one)
{
    if (is_signal(one->code) && (here.board->failed || here.board->told))
        return true;
    for (int i = 0; i < here.slots; i++)
        if (here.board->slots[i].state == TOLD && is_same(&here.board->slots[i], one))
            return true;
    return false;
}

static int drop_old(slot **found, int count)
{
    int left = 0;

    for (int i = 0; i < count; i++)
        if (!is_old(found[i]))
            found[left++] = found[i];
    return left;
}

static void say_as(const slot *one, const char *text)
{
    char name[SAY_NAME_BYTES];

    say_name(name, one->rank, one->pid);
    say(name, text);
}

/* Print what the first of the COUNT at FOUND says, with all who say the same; those are
 * taken out. Returns how many are left. */
static int tell_first(slot **found, int count, int *ranks)
{
    slot *first = found[0];
    int alike = 0, left = 0;

    for (int i = 0; i < count; i++)
        if (is_same(first, found[i]))
            ranks[alike++] = found[i]->rank;
        else
            found[left++] = found[i];
    if (alike == 1)
        say_as(first, first->text);
    else
        say_of(ranks, alike, first->text);
    return left;
}

static void tell(slot **found, int count, int *ranks)
{
    for (int i = 0; count && i < TEXTS_MAX; i++)
        count = tell_first(found, count, ranks);
    for (int i = 0; i < count; i++)
        ranks[i] = found[i]->rank;
    if (count)
        say_of(ranks, count, "each ends for a reason of its own");
}

/* Ranks that have died and not said a word: nobody else can say it. */
static void tell_dead(void)
{
    for (int i = 0; i < here.slots; i++) {
        slot *one = &here.board->slots[i];

        if (is_dead(one) && !atomic_exchange(&one->may_go, true))
            say_as(one, "has ended without a word: killed (for lack of memory, perhaps), "
                        "or by _exit");
    }
}

static void speak(void)
{
    slot **found = calloc((size_t)here.slots, sizeof *found);
    int *ranks = calloc((size_t)here.slots, sizeof *ranks);

    if (found && ranks) { /* else each speaks for itself */
        wait_for_others();
        tell_dead();
        tell(found, drop_old(found, collect(found)), ranks);
        for (int i = 0; i < here.slots; i++)
            if (here.board->slots[i].state == TELLING)
                here.board->slots[i].state = TOLD;
        here.board->told = true;
    }
    free(found);
    free(ranks);
}

/* ---- what each does ------------------------------------------------------- */

/* mpirun may want this rank to end while it speaks, for others, too. It does soon. */
static void hold_signals(void)
{
    struct sigaction found;

    if (sigaction(SIGTERM, NULL, &found) == 0 && found.sa_handler == SIG_DFL)
        signal(SIGTERM, SIG_IGN);
}

/* The status of the job as this node knows it: the first one, but for signals. */
static int agree_on(int code)
{
    int first = 0;

    if (!here.board)
        return code;
    while (!atomic_compare_exchange_weak(&here.board->first_code, &first, code))
        if (first && (!is_signal(first) || is_signal(code)))
            return first;
    return code;
}

static void write_down(int code, const char *text)
{
    slot *mine = here.mine;

    memcpy(mine->text, text, strlen(text) + 1);
    mine->code = code;
    mine->order = here.board->written++;
    mine->state = WRITTEN;
}

/* Until this rank has been heard: the first that is free to speak does. */
static void meet(void)
{
    int64_t start = wait_now_ns();
    int me = 1 + (int)(here.mine - here.board->slots);

    while (here.mine->state != TOLD && wait_now_ns() - start < heard_ns) {
        int nobody = 0;

        if (atomic_compare_exchange_strong(&here.board->speaker, &nobody, me)) {
            speak();
            here.board->speaker = 0;
        } else {
            rest();
        }
    }
}

/* This rank has nothing to say, and the job ends when it goes on: first those that have
 * written are heard. */
static void let_others_speak(void)
{
    int64_t start = wait_now_ns();

    for (int i = 0; i < here.slots && wait_now_ns() - start < heard_ns;) {
        int state = here.board->slots[i].state;

        if (state == WRITTEN || state == TELLING)
            rest();
        else
            i++;
    }
}

/* This rank ends with status CODE. What it says stands on the board by now: it may be
 * what keeps others from saying that a signal has reached them. */
static void end_with(int code)
{
    if (here.board && !is_signal(code))
        here.board->failed = true;
    words_close();
}

int words_say(int code, const char *text)
{
    static atomic_flag has_spoken = ATOMIC_FLAG_INIT;
    int state = WRITTEN;

    hold_signals();
    agree_on(code);
    if (!text || (is_signal(code) && here.board && here.board->failed)) {
        end_with(code);
        let_others_speak();
        return agree_on(code);
    }
    if (!here.mine || strlen(text) >= TEXT_BYTES ||
        atomic_flag_test_and_set(&has_spoken)) {
        say(here.name, text);
        end_with(code);
        return agree_on(code);
    }
    write_down(code, text);
    end_with(code);
    meet();
    if (atomic_compare_exchange_strong(&here.mine->state, &state, TOLD))
        say(here.name, text);
    return agree_on(code);
}
