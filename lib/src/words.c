/* words.c - the last words of ranks that end the job, and notes of those that go on.
 * SPDX-License-Identifier: MIT
 *
 * Often all ranks fail alike, at about the same time, and one text is enough. So a rank
 * writes its text on a board that all ranks of the node see. The first to come is the
 * speaker: it waits until no more come, and prints what they have written, the same
 * text once. The others wait until that is done. Nobody waits for long: a rank that is
 * not heard in time speaks for itself.
 *
 * Who goes on must not wait: a thread does so, for a note.
 *
 * Where a rank ends that SIGINT or SIGTERM has reached, and another one has ended before
 * it, that is why the signal came, and the signal is not worth a word.
 */
#include "words.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "process.h"
#include "same.h"
#include "say.h"
#include "thread.h"
#include "wait.h"

enum {
    TEXT_BYTES = 65536 - 64,
    TEXTS_MAX = 8, /* that differ, and are printed at once */
};

static const int64_t pause_ns = 5000000;
static const int64_t still_ns = 25000000;  /* all that a pause counts for */
static const int64_t quiet_ns = 200000000; /* nobody comes, and none runs: that was all */
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
    atomic_int note_speaker;
    atomic_int first_code;
    atomic_bool failed; /* a rank has, by itself */
    atomic_bool told;   /* a speaker has */
    atomic_bool crashed;
    slot slots[]; /* of each rank, for its last words; then of each, for its notes */
} board;

static struct {
    board *board;
    slot *mine, *note;
    int ranks, slots; /* of the node */
    bool has_teller;
    pthread_t teller; /* of the note */
    char name[SAY_NAME_BYTES];
} here;

/* ---- who this is --------------------------------------------------------- */

static ino_t pid_namespace(void)
{
    struct stat found;

    return stat("/proc/self/ns/pid", &found) ? 0 : found.st_ino;
}

static slot *open_slot(int number, int rank)
{
    slot *one = &here.board->slots[number];

    one->rank = rank;
    one->pid = getpid();
    one->pid_namespace = pid_namespace();
    return one;
}

void words_open(MPI_Comm node, int rank, int size)
{
    int mine;

    say_configure(size);
    say_name(here.name, rank, getpid());
    if (size == 1)
        return;
    MPI_Comm_rank(node, &mine);
    MPI_Comm_size(node, &here.ranks);
    here.slots = 2 * here.ranks;
    here.board = board_open(node, sizeof(board) + (size_t)here.slots * sizeof(slot));
    if (!here.board)
        return;
    here.mine = open_slot(mine, rank);
    here.note = open_slot(here.ranks + mine, rank);
}

static void go(void)
{
    if (here.mine)
        here.mine->may_go = true;
}

/* Until the note is written: at once, when all ranks of the node are here. */
static void join_teller(void)
{
    if (here.has_teller)
        pthread_join(here.teller, NULL);
    here.has_teller = false;
}

void words_close(void)
{
    go();
    join_teller();
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

/* ---- what the speaker does ------------------------------------------------ */

/* How long it was. Where the machine has stood still meanwhile it has done so for the
 * others, too, and they have had no more time to come than after any other pause. */
static int64_t rest(void)
{
    int64_t start = wait_now_ns(), ns;

    nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
    ns = wait_now_ns() - start;
    return ns < still_ns ? ns : still_ns;
}

static bool is_note(const slot *one)
{
    return one - here.board->slots >= here.ranks;
}

static same_text text_of(const slot *one)
{
    return (same_text){one->rank, one->pid, one->text};
}

static bool is_awaited(const slot *one)
{
    return one->state == SILENT && !one->may_go;
}

/* Whether this rank can learn what the process of ONE does. */
static bool is_known(const slot *one)
{
    return one->pid_namespace == here.mine->pid_namespace;
}

/* Whether ONE, that has not said why, is not there any more. */
static bool is_dead(const slot *one)
{
    return is_awaited(one) && is_known(one) && process_has_ended(one->pid);
}

/* Whether one of those that have not come runs, or would if it had a core: it may be on
 * its way. Those that wait are not. */
static bool some_run(void)
{
    for (int i = 0; i < here.ranks; i++) {
        const slot *one = &here.board->slots[i];

        if (is_awaited(one) && is_known(one) && strchr("RD", process_state(one->pid)))
            return true;
    }
    return false;
}

static bool all_have_come(void)
{
    for (int i = 0; i < here.ranks; i++)
        if (is_awaited(&here.board->slots[i]) && !is_dead(&here.board->slots[i]))
            return false;
    return true;
}

static void wait_for_others(void)
{
    int64_t waited = 0, news = 0;
    unsigned written = here.board->written;

    while (!all_have_come() && waited < round_ns &&
           (waited - news < quiet_ns || some_run())) {
        waited += rest();
        if (here.board->written != written)
            news = waited;
        written = here.board->written;
    }
}

/* What is written and has not been heard, the first first: by who speaks for a NOTE, no
 * last words, which others may be about to say, too. */
static int collect(bool note, slot **found)
{
    int count = 0;

    for (int i = note ? here.ranks : 0; i < here.slots; i++) {
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
    same_text text = text_of(one);

    if (is_signal(one->code) && (here.board->failed || here.board->told))
        return true;
    for (int i = 0; i < here.ranks; i++) {
        same_text other = text_of(&here.board->slots[i]);

        if (here.board->slots[i].state == TOLD && same_texts(&other, &text))
            return true;
    }
    return false;
}

static void tell_notes(slot **found, int count, same_text *texts, int *ranks)
{
    int notes = 0;

    for (int i = 0; i < count; i++)
        if (is_note(found[i]))
            texts[notes++] = text_of(found[i]);
    same_say(texts, notes, notes, ranks);
}

static void tell_last_words(slot **found, int count, same_text *texts, int *ranks)
{
    int words = 0, left;

    for (int i = 0; i < count; i++)
        if (!is_note(found[i]) && !is_old(found[i]))
            texts[words++] = text_of(found[i]);
    left = same_say(texts, words, TEXTS_MAX, ranks);
    for (int i = 0; i < left; i++)
        ranks[i] = texts[i].rank;
    if (left)
        say_of(ranks, left, "each ends for a reason of its own");
}

/* Ranks that have died and not said a word: nobody else can say it. */
static void tell_dead(void)
{
    char name[SAY_NAME_BYTES];

    for (int i = 0; i < here.ranks; i++) {
        slot *one = &here.board->slots[i];

        if (!is_dead(one) || atomic_exchange(&one->may_go, true))
            continue;
        here.board->failed = true;
        say_name(name, one->rank, one->pid);
        say(name, "has ended without a word: killed (for lack of memory, perhaps), by a "
                  "stack overflow in a thread, or by _exit");
    }
}

/* Those that were found have been told. */
static void note_told(slot **found, int count)
{
    for (int i = 0; i < count; i++) {
        found[i]->state = TOLD;
        if (!is_note(found[i]))
            here.board->told = true;
    }
}

static void speak(bool note)
{
    slot **found = calloc((size_t)here.slots, sizeof *found);
    same_text *texts = calloc((size_t)here.slots, sizeof *texts);
    int *ranks = calloc((size_t)here.slots, sizeof *ranks), count;

    if (found && texts && ranks) { /* else each speaks for itself */
        wait_for_others();
        if (!note)
            tell_dead();
        count = collect(note, found);
        tell_notes(found, count, texts, ranks);
        tell_last_words(found, count, texts, ranks);
        note_told(found, count);
    }
    free(found);
    free(texts);
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

static void write_down(slot *mine, int code, const char *text)
{
    memcpy(mine->text, text, strlen(text) + 1);
    mine->code = code;
    mine->order = here.board->written++;
    mine->state = WRITTEN;
}

/* Until what is in MINE has been heard: the first that is free to speak does. */
static void meet(slot *mine)
{
    int64_t waited = 0;
    atomic_int *speaker =
        is_note(mine) ? &here.board->note_speaker : &here.board->speaker;
    int me = 1 + (int)(mine - here.board->slots), state = WRITTEN;

    while (mine->state != TOLD && waited < heard_ns) {
        int nobody = 0;

        if (atomic_compare_exchange_strong(speaker, &nobody, me)) {
            speak(is_note(mine));
            *speaker = 0;
            waited += round_ns;
        } else {
            waited += rest();
        }
    }
    if (atomic_compare_exchange_strong(&mine->state, &state, TOLD))
        say(here.name, mine->text);
}

/* This rank has nothing to say, and the job ends when it goes on: first those that have
 * written are heard. */
static void let_others_speak(void)
{
    int64_t waited = 0;

    for (int i = 0; i < here.slots && waited < heard_ns;) {
        int state = here.board->slots[i].state;

        if (state == WRITTEN || state == TELLING)
            waited += rest();
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
    go();
}

int words_say(int code, const char *text)
{
    static atomic_flag has_spoken = ATOMIC_FLAG_INIT;

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
    write_down(here.mine, code, text);
    end_with(code);
    meet(here.mine);
    return agree_on(code);
}

static void *tell_note(void *unused)
{
    meet(here.note);
    return unused;
}

void words_note(const char *text)
{
    if (here.note && (here.note->state == SILENT || here.note->state == TOLD) &&
        strlen(text) < TEXT_BYTES) {
        join_teller();
        write_down(here.note, 0, text);
        here.has_teller = !thread_create(&here.teller, tell_note, NULL);
        if (here.has_teller)
            return;
        here.note->state = TOLD;
    }
    say(here.name, text);
}
