/* census.c - what all ranks wait for, collected by one of them and printed.
 * SPDX-License-Identifier: MIT
 *
 * Each rank says it in lines, "what it does" TAB "where"; lines that are the same are
 * printed once, with their ranks. Who waits for nothing doesn't answer.
 */
#include "census.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line.h"
#include "numbers.h"
#include "peers.h"
#include "wait.h"
#include "watch.h"

enum {
    MS = 1000 * 1000,
    OTHERS_NS = 400 * MS, /* for those that a deadlock isn't of */
    LINES_NS = 200 * MS,  /* until this rank answers without its line */
    LOOK_NS = 200 * MS,   /* a process takes to write its stack */
    LOOKS_NS = 600 * MS,  /* all looks take */
    GROUPS_MAX = 60,
};

/* Until it is told without answers: of those that are in it, and so do answer, if late on
 * a crowded machine; of all, who may be doing something else. */
static const int64_t deadlock_limit_ns = INT64_C(10000) * MS;
static const int64_t hang_limit_ns = INT64_C(2000) * MS;

static struct {
    bool under_way;
    const bool *in;
    bool ends;
    double seconds;
    int64_t number, begun;
    char **texts; /* by rank of the world; NULL: no answer */
    int answers;
    int64_t looks; /* when others were asked to look at those who don't answer; 0: not */
    char **seen;   /* of those, by rank */
} census;

static par_comm *world(void)
{
    return comm_next(NULL);
}

/* ---- what this rank does ------------------------------------------------ */

static void write_own(char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (list_node *node = watch_waits.next; node != &watch_waits; node = node->next) {
        const watch_wait *wait = LIST_OF(node, watch_wait, node);
        watch_account account = {0};

        if (wait->tell)
            wait->tell(wait->what, &account);
        free(account.edges);
        if (!account.text[0])
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s\t%s\n", account.text,
                                 wait->line);
        if (used >= size) {
            text[size - 1] = '\0';
            return;
        }
    }
}

static void answer(int dest, const word *question)
{
    char text[2048];
    size_t room = ask_room() < sizeof text ? ask_room() : sizeof text;
    word w = {.kind = WORD_TEXT, .number = question->number};

    write_own(text, room);
    ask_send(world(), dest, &w, text, strlen(text));
}

/* Who waits for a short time only doesn't know its line yet. */
static struct {
    int asker;
    word question;
    int64_t heard;
    bool is_open;
} asked;

static bool lines_are_known(void)
{
    for (list_node *node = watch_waits.next; node != &watch_waits; node = node->next) {
        const watch_wait *wait = LIST_OF(node, watch_wait, node);

        if (wait->tell && !wait->line[0])
            return false;
    }
    return true;
}

static void hear_question(int source, const word *question)
{
    if (asked.is_open)
        answer(asked.asker, &asked.question);
    asked.asker = source;
    asked.question = *question;
    asked.heard = wait_now_ns();
    asked.is_open = true;
}

void census_answer(int64_t now)
{
    if (!asked.is_open || (!lines_are_known() && now - asked.heard < LINES_NS))
        return;
    asked.is_open = false;
    answer(asked.asker, &asked.question);
}

/* ---- the answers -------------------------------------------------------- */

void census_begin(const bool *in, bool ends, double seconds, int64_t now)
{
    int size = world()->size;
    word w = {.kind = WORD_TELL, .yes = in != NULL};

    if (!census.texts)
        census.texts = calloc((size_t)size, sizeof *census.texts);
    if (!census.seen)
        census.seen = calloc((size_t)size, sizeof *census.seen);
    if (!census.texts || !census.seen)
        return;
    census.under_way = true;
    census.in = in;
    census.ends = ends;
    census.seconds = seconds;
    census.begun = now;
    census.answers = 0;
    census.looks = 0;
    w.number = ++census.number;
    for (int rank = 0; rank < size; rank++) {
        free(census.texts[rank]);
        free(census.seen[rank]);
        census.texts[rank] = census.seen[rank] = NULL;
        ask_send(world(), rank, &w, NULL, 0);
    }
}

static bool is_silent(int rank)
{
    return !census.texts[rank] || !*census.texts[rank];
}

/* ---- looking at ranks that don't answer ---------------------------------- */

enum { LOOK_RANKS_MAX = 64 };

static struct {
    int64_t number, begun;
    int asker, ranks[LOOK_RANKS_MAX];
    size_t count;
} look;

static void begin_look(int asker, const word *w, const int *ranks, size_t bytes)
{
    size_t count = bytes / sizeof *ranks;

    look.number = w->number;
    look.begun = wait_now_ns();
    look.asker = asker;
    look.count = 0;
    for (size_t i = 0; i < count && i < LOOK_RANKS_MAX; i++)
        if (ranks[i] >= 0 && ranks[i] < world()->size) {
            peers_poke(ranks[i]);
            look.ranks[look.count++] = ranks[i];
        }
}

void census_look(int64_t now)
{
    char text[2048];
    size_t room = ask_room() < sizeof text ? ask_room() : sizeof text;

    if (!look.count || now - look.begun < LOOK_NS)
        return;
    for (size_t i = 0; i < look.count; i++) {
        word w = {
            .kind = WORD_SEEN, .all = (uint32_t)look.ranks[i], .number = look.number};

        peers_look(look.ranks[i], text, room);
        ask_send(world(), look.asker, &w, text, strlen(text));
    }
    look.count = 0;
}

/* Have RANK look at the silent ones of its node. */
static void ask_to_look(int rank)
{
    int silent[LOOK_RANKS_MAX];
    word w = {.kind = WORD_LOOK, .number = census.number};
    size_t count = 0, most = ask_room() / sizeof *silent;

    for (int i = 0; i < world()->size && count < most && count < LOOK_RANKS_MAX; i++)
        if (is_silent(i) && peers_node(i) == peers_node(rank))
            silent[count++] = i;
    if (count)
        ask_send(world(), rank, &w, silent, count * sizeof *silent);
}

/* One rank of each node that has answered. */
static void ask_nodes_to_look(void)
{
    for (int rank = 0; rank < world()->size; rank++) {
        int first = 0;

        while (is_silent(first) || peers_node(first) != peers_node(rank))
            if (++first >= rank)
                break;
        if (!is_silent(rank) && first >= rank)
            ask_to_look(rank);
    }
}

void census_hear(int source, const word *w, const void *rest, size_t bytes)
{
    if (w->kind == WORD_TELL) {
        hear_question(source, w);
    } else if (w->kind == WORD_LOOK) {
        begin_look(source, w, rest, bytes);
    } else if (!census.under_way || w->number != census.number) {
        return;
    } else if (w->kind == WORD_SEEN && w->all < (uint32_t)world()->size) {
        free(census.seen[w->all]);
        census.seen[w->all] = strndup(rest, bytes);
    } else if (w->kind == WORD_TEXT && !census.texts[source]) {
        census.texts[source] = strndup(rest, bytes);
        census.answers += census.texts[source] != NULL;
    }
}

/* ---- the report --------------------------------------------------------- */

typedef struct group {
    const char *line; /* in a rank's text, up to its end of line */
    size_t length;
    bool in; /* the deadlock */
    int *ranks;
    size_t count;
} group;

/* What is to be printed; grows. */
typedef struct page {
    char *text;
    size_t used, size;
} page;

static void print(page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print(page *p, const char *format, ...)
{
    size_t room = p->size - p->used;
    int length;
    va_list args;

    va_start(args, format);
    length = vsnprintf(p->text + p->used, room, format, args);
    va_end(args);
    if (length > 0)
        p->used += (size_t)length < room ? (size_t)length : room - 1;
}

static bool same(const group *g, const char *line, size_t length, bool in)
{
    return g->in == in && g->length == length && memcmp(g->line, line, length) == 0;
}

static void add_line(group *groups, size_t *count, int rank, const char *line,
                     size_t length)
{
    bool in = census.in && census.in[rank];
    size_t at = 0;

    while (at < *count && !same(&groups[at], line, length, in))
        at++;
    if (at == *count) {
        int *ranks = malloc((size_t)world()->size * sizeof *ranks);

        if (at == GROUPS_MAX || !ranks) {
            free(ranks);
            return;
        }
        groups[at] = (group){line, length, in, ranks, 0};
        ++*count;
    }
    if (!groups[at].count || groups[at].ranks[groups[at].count - 1] != rank)
        groups[at].ranks[groups[at].count++] = rank;
}

static size_t make_groups(group *groups)
{
    size_t count = 0;

    for (int rank = 0; rank < world()->size; rank++) {
        const char *line = census.texts[rank];

        for (; line && *line; line += strcspn(line, "\n") + 1)
            add_line(groups, &count, rank, line, strcspn(line, "\n"));
    }
    return count;
}

/* "ranks 0,2-15" */
static void print_ranks(page *p, const int *ranks, size_t count)
{
    char list[512];

    print(p, "rank%s %s", count == 1 ? "" : "s",
          numbers_text(ranks, (int)count, list, sizeof list));
}

static void print_group(page *p, const group *g)
{
    size_t what = strcspn(g->line, "\t\n");
    char line[1024] = "";

    if (what < g->length)
        snprintf(line, sizeof line, "%.*s", (int)(g->length - what - 1),
                 g->line + what + 1);
    line_resolve(line, sizeof line);
    print(p, "  ");
    print_ranks(p, g->ranks, g->count);
    print(p, " in %.*s", (int)what, g->line);
    print(p, line[0] && strcmp(line, "-") != 0 ? " at %s\n" : "\n", line);
}

static void print_groups(page *p, const group *groups, size_t count, bool in)
{
    for (size_t i = 0; i < count; i++)
        if (groups[i].in == in)
            print_group(p, &groups[i]);
    if (count == GROUPS_MAX)
        print(p, "  (there are more)\n");
}

/* The ranks for which WANTED is true, in new memory. */
static int *select_ranks(bool (*wanted)(int rank), size_t *count_p)
{
    int *ranks = malloc((size_t)world()->size * sizeof *ranks);

    *count_p = 0;
    for (int rank = 0; ranks && rank < world()->size; rank++)
        if (wanted(rank))
            ranks[(*count_p)++] = rank;
    return ranks;
}

static bool is_in(int rank)
{
    return census.in[rank];
}

static bool has_others(const group *groups, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!groups[i].in)
            return true;
    return false;
}

static void print_deadlock(page *p, const group *groups, size_t groups_count)
{
    size_t count;
    int *ranks = select_ranks(is_in, &count);

    print(p, "par: deadlock: ");
    print_ranks(p, ranks, count);
    free(ranks);
    print(p, count == 1 ? " waits for itself, and nothing can wake it\n"
                        : " wait for each other, and nothing can wake them\n");
    print_groups(p, groups, groups_count, true);
    if (has_others(groups, groups_count)) {
        print(p, "also waiting:\n");
        print_groups(p, groups, groups_count, false);
    }
    print(p, census.ends
                 ? "par: the job ends with status 86 (PAR_DEADLOCK=report lets it "
                   "wait, off looks for none)\n"
                 : "par: the job goes on, as PAR_DEADLOCK says\n");
}

static const char *seen_of(int rank)
{
    return census.seen[rank] ? census.seen[rank] : "does not answer\n";
}

static bool is_seen_as(int rank, int other)
{
    return is_silent(rank) && strcmp(seen_of(rank), seen_of(other)) == 0;
}

static bool is_first_seen(int rank)
{
    int first = 0;

    while (!is_seen_as(first, rank))
        first++;
    return first == rank;
}

/* RANK, and those that do the same: "ranks 1,3 computes" is no English. */
static void print_seen(page *p, int rank)
{
    int *ranks = malloc((size_t)world()->size * sizeof *ranks);
    const char *line = seen_of(rank);
    size_t count = 0;

    for (int other = rank; ranks && other < world()->size; other++)
        if (is_seen_as(other, rank))
            ranks[count++] = other;
    print(p, "  ");
    print_ranks(p, ranks, count);
    free(ranks);
    print(p, count == 1 ? " %.*s\n" : ": each %.*s\n", (int)strcspn(line, "\n"), line);
    while (*(line += strcspn(line, "\n") + (strchr(line, '\n') != NULL)))
        print(p, "    %.*s\n", (int)strcspn(line, "\n"), line);
}

static void print_hang(page *p, const group *groups, size_t groups_count)
{
    print(p, "par: rank %d has waited for %.0f s; what the ranks do:\n", world()->rank,
          census.seconds);
    print_groups(p, groups, groups_count, false);
    for (int rank = 0; rank < world()->size; rank++)
        if (is_silent(rank) && is_first_seen(rank))
            print_seen(p, rank);
}

static void write_all(const char *text, size_t bytes)
{
    while (bytes) {
        ssize_t written = write(STDERR_FILENO, text, bytes);

        if (written <= 0)
            return;
        text += written;
        bytes -= (size_t)written;
    }
}

static void report(void)
{
    group groups[GROUPS_MAX];
    size_t count = make_groups(groups);
    page p = {.size = 1024 * (2 * GROUPS_MAX + 8)};

    p.text = malloc(p.size);
    if (p.text && census.in)
        print_deadlock(&p, groups, count);
    else if (p.text)
        print_hang(&p, groups, count);
    if (p.text)
        write_all(p.text, p.used);
    free(p.text);
    while (count)
        free(groups[--count].ranks);
}

void census_cancel_hang(void)
{
    census.under_way = census.under_way && census.in;
}

void census_cancel_deadlock(void)
{
    census.under_way = census.under_way && !census.in;
}

/* ---- from time to time --------------------------------------------------- */

bool census_is_under_way(void)
{
    return census.under_way;
}

static bool all_in_have_answered(void)
{
    for (int rank = 0; rank < world()->size; rank++)
        if (census.in[rank] && !census.texts[rank])
            return false;
    return true;
}

static bool is_over(int64_t now)
{
    int64_t waited = now - census.begun;

    if (census.answers == world()->size)
        return true;
    if (census.in)
        return waited >= deadlock_limit_ns ||
               (waited >= OTHERS_NS && all_in_have_answered());
    if (waited >= hang_limit_ns && !census.looks) {
        census.looks = now;
        ask_nodes_to_look();
    }
    return census.looks && now - census.looks >= LOOKS_NS;
}

enum census_result census_step(int64_t now)
{
    if (!census.under_way || !is_over(now))
        return CENSUS_NOTHING;
    report();
    census.under_way = false;
    return census.in ? CENSUS_DEADLOCK : CENSUS_HANG;
}
