/* leftover.c - what nobody has taken when the job ends.
 * SPDX-License-Identifier: MIT */
#include "leftover.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "call.h"
#include "comm.h"
#include "lock.h"
#include "wait.h"
#include "warning.h"

static par_leftovers policy;
static bool with_requests;

void leftover_set(par_leftovers what, bool requests)
{
    policy = what;
    with_requests = requests;
}

/* ---- finding it ---------------------------------------------------------- */

typedef enum leftover_kind { MESSAGES, RECEIVES, REQUESTS, OTHERS, CALL } leftover_kind;

/* Messages that differ in their length alone, or the like. Ranks are those of the world;
 * PAR_ANY_SOURCE, PAR_ANY_TAG. */
typedef struct leftover {
    int32_t kind, from, to, tag;
    int32_t comm_size;
    uint64_t count, least, most; /* of elements in each, or bytes of an object */
    char what[200];              /* its type; a sentence on a call */
} leftover;

enum {
    LEFTOVERS = 32, /* that a rank tells of; the last counts what has no room */
    LINES = 24,
    PAIRS = 6,
    TEXT_BYTES = 8192,
};

typedef struct findings {
    leftover items[LEFTOVERS];
    int count;
} findings;

static bool are_alike(const leftover *a, const leftover *b)
{
    return a->kind == b->kind && a->tag == b->tag && a->comm_size == b->comm_size &&
           !strcmp(a->what, b->what);
}

static void widen(leftover *to, const leftover *by)
{
    to->count += by->count;
    to->least = by->least < to->least ? by->least : to->least;
    to->most = by->most > to->most ? by->most : to->most;
}

static void note(findings *f, const leftover *found)
{
    for (int i = 0; i < f->count; i++)
        if (are_alike(&f->items[i], found) && f->items[i].from == found->from) {
            widen(&f->items[i], found);
            return;
        }
    if (f->count == LEFTOVERS) {
        f->items[LEFTOVERS - 1].count += found->count;
        return;
    }
    f->items[f->count] = *found;
    if (++f->count == LEFTOVERS)
        f->items[LEFTOVERS - 1].kind = OTHERS;
}

/* What RANK of COMM is in the world. */
static int in_world(const par_comm *comm, int rank)
{
    MPI_Group world, group;
    int number = rank;

    if (rank == PAR_ANY_SOURCE || comm->is_world)
        return rank;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Comm_group(comm->body, &group);
    MPI_Group_translate_ranks(group, 1, &rank, world, &number);
    MPI_Group_free(&group);
    MPI_Group_free(&world);
    return number;
}

static leftover begin(const par_comm *comm, leftover_kind kind, int from, int tag)
{
    return (leftover){
        .kind = kind,
        .from = in_world(comm, from),
        .to = in_world(comm, comm->rank),
        .tag = tag,
        .comm_size = comm->is_world ? 0 : comm->size,
        .count = 1,
    };
}

static void find_messages(par_comm *comm, findings *f)
{
    match_table *table = &comm->inbox.table;
    par_message *message = match_newest(table, WIRE_P2P);

    for (; message; message = match_older(table, message)) {
        par_status status = message_status(message);
        leftover found = begin(comm, MESSAGES, message->source, message->header.tag);
        bool object = message->header.kind == PAR_OBJECT;

        found.least = found.most = object ? message->header.bytes : status.count;
        snprintf(found.what, sizeof found.what, "%s",
                 object ? "bytes of an object" : par_type_name(status.type));
        note(f, &found);
    }
}

static int find_receives(par_comm *comm, findings *f)
{
    match_table *table = &comm->inbox.table;
    match_receive *receive = match_next_receive(table, NULL);
    int count = 0;

    for (; receive; receive = match_next_receive(table, receive)) {
        leftover found = begin(comm, RECEIVES, receive->source, receive->tag);

        note(f, &found);
        count++;
    }
    return count;
}

static void find_requests(const par_comm *comm, int receives, findings *f)
{
    leftover found = begin(comm, REQUESTS, PAR_ANY_SOURCE, PAR_ANY_TAG);

    if (!with_requests || comm->under_way <= receives)
        return;
    found.count = (uint64_t)(comm->under_way - receives);
    note(f, &found);
}

static void find_call(par_comm *comm, findings *f)
{
    leftover found = begin(comm, CALL, PAR_ANY_SOURCE, PAR_ANY_TAG);

    if (!call_is_left(comm))
        return;
    snprintf(found.what, sizeof found.what, "%s", par_error_detail());
    note(f, &found);
}

/* Needs the lock. */
static void find(findings *f)
{
    f->count = 0;
    for (par_comm *comm = comm_next(NULL); comm; comm = comm_next(comm)) {
        find_messages(comm, f);
        find_requests(comm, find_receives(comm, f), f);
        find_call(comm, f);
    }
}

/* ---- all ranks together --------------------------------------------------- */

/* What a rank says; the sum is heard. */
enum { ON_THEIR_WAY, FOUND, BROKEN, SUMS };

typedef struct summing {
    findings *findings;
    MPI_Request request;
    int64_t sums[SUMS];
} summing;

/* Needs the lock. Messages are sent no more, so those that have come sum up to those that
 * were sent only if none is on its way. */
static par_error say(summing *s)
{
    int code;

    inbox_step_all();
    find(s->findings);
    memset(s->sums, 0, sizeof s->sums);
    s->sums[FOUND] = s->findings->count;
    for (par_comm *comm = comm_next(NULL); comm; comm = comm_next(comm)) {
        s->sums[ON_THEIR_WAY] += (int64_t)(comm->sent - comm->inbox.come);
        s->sums[BROKEN] += comm->inbox.error != PAR_OK;
    }
    code = MPI_Iallreduce(MPI_IN_PLACE, s->sums, SUMS, MPI_INT64_T, MPI_SUM,
                          comm_next(NULL)->body, &s->request);
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Iallreduce");
}

static par_error step_summing(void *what, bool *done_p)
{
    summing *s = what;
    int done, code = MPI_Test(&s->request, &done, MPI_STATUS_IGNORE);

    *done_p = code == MPI_SUCCESS && done;
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Iallreduce");
}

/* Take in all that is on its way, and look what nobody has taken: *ANY_P, on any rank. */
static par_error take_stock(findings *f, bool *any_p)
{
    summing s = {.findings = f};

    do {
        par_error err;

        lock_take();
        err = say(&s);
        if (err) {
            lock_give();
            return err;
        }
        err = wait_until(step_summing, watch_tell_end, &s, false);
        if (err)
            return err;
    } while (s.sums[ON_THEIR_WAY] > 0 && !s.sums[BROKEN]);
    *any_p = s.sums[FOUND] > 0;
    return PAR_OK;
}

/* All ranks' findings, *COUNT_P of them, on SPEAKER, to be freed; NULL elsewhere, and
 * where there is no memory. Needs the lock. */
static leftover *collect(const findings *f, int speaker, int *count_p)
{
    MPI_Comm body = comm_next(NULL)->body;
    int size, rank, bytes = f->count * (int)sizeof *f->items, all = 0;
    leftover *items = NULL;
    int *counts, *begins;

    MPI_Comm_size(body, &size);
    MPI_Comm_rank(body, &rank);
    counts = calloc(2 * (size_t)size, sizeof *counts);
    if (!counts) { /* the others wait for it */
        warning_say("no memory is left for a list of what is left over");
        use_mpi_abort(EXIT_FAILURE);
    }
    begins = counts + size;
    MPI_Gather(&bytes, 1, MPI_INT, counts, 1, MPI_INT, speaker, body);
    for (int i = 0; i < size; i++) {
        begins[i] = all;
        all += counts[i];
    }
    if (rank == speaker && all)
        items = malloc((size_t)all);
    MPI_Gatherv(f->items, bytes, MPI_BYTE, items, counts, begins, MPI_BYTE, speaker,
                body);
    free(counts);
    *count_p = all / (int)sizeof *items;
    return items;
}

/* ---- telling of it ------------------------------------------------------- */

typedef struct report {
    char text[TEXT_BYTES];
    size_t used;
} report;

static void add(report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(report *r, const char *format, ...)
{
    va_list args;
    int bytes;

    va_start(args, format);
    bytes = vsnprintf(r->text + r->used, TEXT_BYTES - r->used, format, args);
    va_end(args);
    r->used += (size_t)bytes;
    if (r->used >= TEXT_BYTES)
        r->used = TEXT_BYTES - 1;
}

static void add_tag(report *r, const leftover *item)
{
    if (item->tag == PAR_ANY_TAG)
        add(r, " under any tag");
    else
        add(r, " under tag %d", item->tag);
}

static void add_lengths(report *r, const leftover *item)
{
    add(r, item->least == item->most ? ", %" PRIu64 : ", %" PRIu64 " to %" PRIu64,
        item->least, item->most);
    add(r, " %s%s", item->what, item->count > 1 ? " each" : "");
}

static void add_comm(report *r, const leftover *item)
{
    if (item->comm_size)
        add(r, ", on a communicator of %d rank%s", item->comm_size,
            item->comm_size > 1 ? "s" : "");
}

static void add_pair(report *r, const leftover *item, bool first)
{
    add(r, first ? ": " : ", ");
    if (item->kind == REQUESTS || item->kind == OTHERS)
        add(r, "of rank %d", item->to);
    else if (item->from == PAR_ANY_SOURCE)
        add(r, first ? "from any rank to %d" : "any to %d", item->to);
    else
        add(r, first ? "from rank %d to %d" : "%d to %d", item->from, item->to);
}

/* Those ALIKE the first, of which each has another pair of ranks. */
static void add_line(report *r, const leftover *items, int alike)
{
    static const char *const names[] = {"message", "receive that waits still",
                                        "request that nobody has waited for", "other"};
    static const char *const many[] = {"messages", "receives that wait still",
                                       "requests that nobody has waited for", "others"};
    leftover all = items[0];

    for (int i = 1; i < alike; i++)
        widen(&all, &items[i]);
    add(r, "\n    ");
    if (all.kind == CALL) {
        add(r, "%s", all.what);
        return;
    }
    add(r, "%" PRIu64 " %s", all.count, all.count > 1 ? many[all.kind] : names[all.kind]);
    if (all.kind == MESSAGES || all.kind == RECEIVES)
        add_tag(r, &all);
    if (all.kind == MESSAGES)
        add_lengths(r, &all);
    add_comm(r, &all);
    for (int i = 0; i < alike && i < PAIRS; i++)
        add_pair(r, &items[i], i == 0);
    if (alike > PAIRS)
        add(r, " and %d more", alike - PAIRS);
}

static int compare(const void *left, const void *right)
{
    const leftover *a = left, *b = right;
    const int32_t keys[][2] = {{a->kind, b->kind}, {a->comm_size, b->comm_size},
                               {a->tag, b->tag},   {0, strcmp(b->what, a->what)},
                               {a->to, b->to},     {a->from, b->from}};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

static void write_report(report *r, leftover *items, int count)
{
    int lines = 0;
    uint64_t more = 0;

    qsort(items, (size_t)count, sizeof *items, compare);
    add(r, "the job ends, and leaves over:");
    for (int begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && are_alike(&items[begin], &items[end]);)
            end++;
        if (lines++ < LINES)
            add_line(r, items + begin, end - begin);
        else
            for (int i = begin; i < end; i++)
                more += items[i].count;
    }
    if (lines > LINES)
        add(r, "\n    and %" PRIu64 " more", more);
    add(r, "\n(PAR_LEFTOVERS=error makes it an error, PAR_LEFTOVERS=off says nothing)");
}

static void speak(leftover *items, int count)
{
    report *r = calloc(1, sizeof *r);

    if (r && items)
        write_report(r, items, count);
    warning_say(r && items ? r->text
                           : "the job ends, and leaves over more than there is "
                             "memory to list");
    free(r);
}

/* Tell of what F and the other ranks' are; needs the lock. */
static par_error tell(const findings *f)
{
    int speaker = warning_speaker(), rank, count;
    leftover *items = collect(f, speaker, &count);

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == speaker)
        speak(items, count);
    free(items);
    if (policy == PAR_LEFTOVERS_WARN)
        return PAR_OK;
    error_set(PAR_ERR_LEFTOVERS,
              "the job has ended, and has left over what was listed, which is an error "
              "since PAR_LEFTOVERS is error");
    return agree_on_error(PAR_ERR_LEFTOVERS, speaker);
}

par_error leftover_look(void)
{
    static findings found; /* one thread ends the job */
    bool any = false;
    par_error err;

    if (policy == PAR_LEFTOVERS_OFF)
        return PAR_OK;
    err = take_stock(&found, &any);
    if (err || !any)
        return err;
    lock_take();
    err = tell(&found);
    lock_give();
    return err;
}
