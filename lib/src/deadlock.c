/* deadlock.c - ranks that wait for each other are found.
 * SPDX-License-Identifier: MIT
 *
 * A rank that is stuck (stuck.h) asks each rank that it needs, on the communicator of
 * the wait. Who is stuck too answers, with the serial number of its being so, once; who
 * is not says nothing until it is. When all have answered the rank may go further: it
 * gets, from rank to rank, the records of all on whom it depends, which are closed: who
 * is needed by one of them is one of them. Then it asks all of them once more.
 *
 * How there is no storm of words. One deadlock needs one search: a rank that depends on a
 * lower one leaves it to that one, and the lowest is the reporter. Ranks in a collective
 * call could be woken by every other: each asks first the one whose message it lacks, and
 * the rest only when a search has found all of them stuck.
 *
 * Why there is no false alarm. Let S be a closed set of ranks that have all said, after
 * all records were there, that they are stuck with the same serial number as in their
 * records, which are those that the others had answers of. Take a moment after the last
 * record and before the first confirmation:
 * - every rank of S is at rest as a whole then (stuck.c), and has sent nothing since its
 *   first answer, as that would have changed its serial number;
 * - what a rank of S had sent to one that needs it was there before its answer was,
 *   since MPI keeps the order of a pair on a communicator: nothing is on its way;
 * - a rank goes on only if one of those that it needs sends to it, or receives the
 *   large message that it said lay there unreceived. All of these are in S.
 * So none of S can be the first to go on. (A rank at the end of the job needs nobody: it
 * does nothing any more, unless all ranks come there; a set of such ranks alone is no
 * deadlock.) Who waits in a collective call needs all ranks of its communicator, of which
 * any may say that its own call fails. What may still wake them comes from outside: a
 * signal that a person sends, or a debugger.
 *
 * Why each is found. The last rank to become stuck has answers from all others at
 * once, and gives its own: so the search that begins then finds all records.
 *
 * Why it is enough that the lowest searches. Who has become stuck last begins one; it
 * goes on in a lower rank, which begins anew, and so on to one that finds no lower one.
 */
#include "deadlock.h"

#include <stdlib.h>
#include <string.h>

#include "stuck.h"
#include "wait.h"

enum {
    MS = 1000 * 1000,
    LOOK_MIN_NS = 50 * MS,
    LOOK_MAX_NS = 1000 * MS,
    SETTLE_NS = 50 * MS,   /* from the last answer to the search */
    LATER_NS = 250 * MS,   /* from the beginning of one to that of the next */
    RETRY_NS = 1000 * MS,  /* to the next search, then twice as long each time */
    REFRESH_NS = 250 * MS, /* between two times of asking */
    FEW = 4,               /* records at once, at first: the search may end with any */
    NEEDS_A_WORD = 128,
};

static const int64_t retry_max_ns = INT64_C(30000) * MS;
static const int64_t silent_ns = INT64_C(2000) * MS; /* who says nothing isn't stuck */

static par_comm *world(void)
{
    return comm_next(NULL);
}

/* ---- whom this rank needs ----------------------------------------------- */

typedef struct need {
    watch_edge edge;
    int rank;          /* of the world; -1: none, it never answers */
    uint64_t answered; /* the serial number in its answer; 0 before */
} need;

static struct {
    uint64_t serial; /* the needs are those of this time */
    need *needs;
    size_t count, room, open; /* OPEN have been asked and not answered */
    bool all_asked;           /* not only those that are likely to wake it */
    int64_t asked;            /* when */
} own;

typedef enum search_phase { IDLE, GATHERS, CONFIRMS } search_phase;

static struct search {
    search_phase phase;
    int64_t number, next, begun, heard, retry; /* NEXT: when to begin */
    size_t wanted, waits, known;               /* ranks: to be asked, asked, and heard */
    size_t lower;                              /* of those asked, lower than this one */
    bool due;                                  /* at NEXT it is to be thought of */
    bool news;    /* since it began: it may have come too early */
    bool unasked; /* somebody has not asked all of its needs */
    bool found;
    struct member *members; /* one for each rank of the world */
    bool *in;
} search;

/* Ask those that are likely to wake this rank, or ALL that could. */
static void ask(bool all, int64_t now)
{
    own.open = 0;
    own.all_asked = all;
    own.asked = now;
    for (size_t i = 0; i < own.count; i++) {
        const watch_edge *edge = &own.needs[i].edge;
        word w = {.kind = WORD_ASK, .mine = own.serial, .number = edge->body_tag};

        own.needs[i].answered = 0;
        if (edge->is_unlikely && !all)
            continue;
        own.open++;
        ask_send(edge->comm, edge->rank, &w, NULL, 0);
    }
}

static bool make_room(size_t count)
{
    need *needs;

    if (count <= own.room)
        return true;
    needs = realloc(own.needs, count * sizeof *needs);
    if (needs) {
        own.needs = needs;
        own.room = count;
    }
    return needs != NULL;
}

static void search_soon(int64_t now)
{
    search.retry = RETRY_NS;
    if (search.phase != IDLE) {
        search.news = true;
        return;
    }
    search.due = true;
    search.next = search.begun + LATER_NS;
    if (search.next < now + SETTLE_NS)
        search.next = now + SETTLE_NS;
}

/* This rank has become stuck anew. */
static void begin(const stuck_state *state, int64_t now)
{
    if (!make_room(state->count))
        return;
    own.serial = state->serial;
    own.count = state->count;
    for (size_t i = 0; i < state->count; i++) {
        const watch_edge *edge = &state->edges[i];

        own.needs[i] = (need){*edge, comm_world_rank(edge->comm, edge->rank), 0};
    }
    ask(false, now);
    search_soon(now);
}

static void hear_answer(const par_comm *comm, int source, const word *w, int64_t now)
{
    if (w->yours != own.serial)
        return;
    for (size_t i = 0; i < own.count; i++) {
        need *n = &own.needs[i];

        if (n->edge.comm == comm && n->edge.rank == source &&
            n->edge.body_tag == w->number && n->rank >= 0) {
            own.open -= !n->answered && (own.all_asked || !n->edge.is_unlikely);
            n->answered = w->mine;
        }
    }
    if (!own.open)
        search_soon(now);
}

/* ---- who needs this rank ------------------------------------------------ */

typedef struct asker {
    struct asker *next;
    par_comm *comm;
    int rank;
    uint64_t serial;
    int64_t body_tag;
} asker;

static asker *askers;
static bool asked_anew;

static void hear_ask(par_comm *comm, int source, const word *w)
{
    asker **link = &askers, *a = NULL;

    /* What it asked when it was stuck earlier is no longer of interest. */
    while (*link)
        if ((*link)->comm == comm && (*link)->rank == source &&
            ((*link)->serial < w->mine || (*link)->body_tag == w->number)) {
            free(a);
            a = *link;
            *link = a->next;
        } else {
            link = &(*link)->next;
        }
    if (!a)
        a = malloc(sizeof *a);
    if (!a)
        return;
    *a = (asker){askers, comm, source, w->mine, w->number};
    askers = a;
    asked_anew = true;
}

/* Whether the large message that A means lies here, and waits to be received. */
static bool lies_here(const asker *a)
{
    match_table *table = &a->comm->inbox.table;

    for (int context = WIRE_P2P; context <= WIRE_COLLECTIVE; context++) {
        par_message *message = match_newest(table, (wire_context)context);

        for (; message; message = match_older(table, message))
            if (message->source == a->rank &&
                (message->header.body_apart || message->header.meta_apart) &&
                message->header.body_tag == a->body_tag)
                return true;
    }
    return false;
}

static void answer(const stuck_state *state)
{
    asker **link = &askers;

    while (*link) {
        asker *a = *link;
        word w = {.kind = WORD_ANSWER,
                  .mine = state->serial,
                  .yours = a->serial,
                  .number = a->body_tag};

        if (a->body_tag != WATCH_SENDS && !lies_here(a)) {
            link = &a->next;
            continue;
        }
        *link = a->next;
        ask_send(a->comm, a->rank, &w, NULL, 0);
        free(a);
    }
}

void deadlock_forget(const par_comm *comm)
{
    asker **link = &askers;

    while (*link) {
        asker *a = *link;

        if (a->comm != comm) {
            link = &a->next;
            continue;
        }
        *link = a->next;
        free(a);
    }
    own.serial = own.count = 0;
}

/* ---- the search: what it gets -------------------------------------------- */

typedef enum member_state { UNKNOWN, WANTED, ASKED, KNOWN, CONFIRMED } member_state;

typedef struct member {
    member_state state;
    uint64_t serial;  /* of its record */
    uint64_t claimed; /* what another one had an answer with; 0: none */
    size_t got;       /* of its needs */
    bool contradicts;
} member;

static void send_world(int rank, const word *w, const void *rest, size_t bytes)
{
    ask_send(world(), rank, w, rest, bytes);
}

static void want(int64_t rank)
{
    if (search.members[rank].state != UNKNOWN)
        return;
    search.members[rank].state = WANTED;
    search.wanted++;
}

/* Get the records that are wanted: of lower ranks first, and of a few at a time, the
 * more the more are known. */
static void get_wanted(void)
{
    word w = {.kind = WORD_GET, .number = search.number};

    for (int rank = 0; search.wanted && rank < world()->size; rank++) {
        bool lower = rank < world()->rank;

        if (search.members[rank].state != WANTED)
            continue;
        if (search.waits >= FEW + search.known || (!lower && search.lower))
            return;
        search.members[rank].state = ASKED;
        search.wanted--;
        search.waits++;
        search.lower += lower;
        send_world(rank, &w, NULL, 0);
    }
}

static void start(int64_t now)
{
    size_t size = (size_t)world()->size;

    if (!search.members)
        search.members = malloc(size * sizeof *search.members);
    if (!search.in)
        search.in = malloc(size * sizeof *search.in);
    if (!search.members || !search.in)
        return;
    memset(search.members, 0, size * sizeof *search.members);
    search.phase = GATHERS;
    search.number++;
    search.heard = now;
    search.begun = now;
    search.wanted = search.waits = search.lower = search.known = 0;
    search.news = search.unasked = false;
    for (size_t i = 0; i < own.count; i++)
        if (own.needs[i].rank >= 0)
            want(own.needs[i].rank);
    want(world()->rank);
    get_wanted();
}

/* It has been in vain, and may not be later; at once, if something has come meanwhile. */
static void give_up(int64_t now)
{
    search.phase = IDLE;
    search.due = true;
    search.next = now + (search.news ? (int64_t)SETTLE_NS : search.retry);
    search.retry = 2 * search.retry < retry_max_ns ? 2 * search.retry : retry_max_ns;
}

/* A lower rank, which this one depends on, searches from now on, as often as it takes. */
static void leave_to_lower(int64_t now)
{
    search.phase = IDLE;
    search.due = false;
    if (search.news)
        search_soon(now);
}

/* A lower rank, which depends on this one, searches now. It may find somebody awake on
 * whom this one doesn't depend. */
static void search_later(int64_t now)
{
    if (search.phase == IDLE && !search.due)
        return;
    search.phase = IDLE;
    search.due = true;
    search.next = now + RETRY_NS;
}

/* Tell all that have been found. */
static void send_members(const word *w)
{
    for (int rank = 0; rank < world()->size; rank++)
        if (search.members[rank].state != UNKNOWN)
            send_world(rank, w, NULL, 0);
}

static bool all_agree(void)
{
    if (search.unasked)
        return false;
    for (int rank = 0; rank < world()->size; rank++) {
        const member *m = &search.members[rank];

        if (m->contradicts || (m->claimed && m->claimed != m->serial))
            return false;
    }
    return true;
}

static void confirm_all(void)
{
    search.phase = CONFIRMS;
    for (int rank = 0; rank < world()->size; rank++)
        if (search.members[rank].state == KNOWN) {
            word w = {.kind = WORD_CONFIRM,
                      .yours = search.members[rank].serial,
                      .number = search.number};

            search.waits++;
            send_world(rank, &w, NULL, 0);
        }
}

/* All records are there. */
static void judge(int64_t now)
{
    if (all_agree()) {
        confirm_all();
        return;
    }
    /* Somebody has not asked all yet, or has been awake since it has answered. */
    send_members(&(word){.kind = WORD_REFRESH});
    give_up(now);
}

static bool is_expected(int source, const word *w, search_phase phase, member_state state)
{
    return search.phase == phase && w->number == search.number &&
           search.members[source].state == state;
}

static void hear_record(int source, const word *w, const word_need *needs, size_t count,
                        int64_t now)
{
    member *m = &search.members[source];

    if (!is_expected(source, w, GATHERS, ASKED))
        return;
    search.heard = now;
    if (w->instead) {
        leave_to_lower(now);
        return;
    }
    if (!w->yes) {
        give_up(now);
        return;
    }
    m->serial = w->mine;
    m->got += count;
    for (size_t i = 0; i < count; i++) {
        member *needed = &search.members[needs[i].rank];

        needed->contradicts |= needed->claimed && needed->claimed != needs[i].serial;
        needed->claimed = needs[i].serial;
        search.unasked |= !needs[i].serial;
        want(needs[i].rank);
    }
    if (m->got < w->all)
        return;
    m->state = KNOWN;
    search.known++;
    search.waits--;
    search.lower -= source < world()->rank;
    get_wanted();
    if (!search.waits)
        judge(now);
}

static void hear_confirmed(int source, const word *w, int64_t now)
{
    if (!is_expected(source, w, CONFIRMS, KNOWN))
        return;
    search.heard = now;
    if (!w->yes) {
        give_up(now);
        return;
    }
    search.members[source].state = CONFIRMED;
    search.found = !--search.waits;
    if (search.found)
        give_up(now);
}

/* ---- the search: what it is given ---------------------------------------- */

static bool is_ready(const stuck_state *state)
{
    return state->is_ripe && own.serial == state->serial && !own.open;
}

static void hear_get(int source, const word *w, int64_t now)
{
    const stuck_state *state = stuck_look();
    word reply = {.kind = WORD_RECORD, .number = w->number};
    word_need needs[NEEDS_A_WORD];
    size_t most = ask_room() / sizeof *needs, at = 0, n;

    if (most > NEEDS_A_WORD)
        most = NEEDS_A_WORD;
    reply.yes = is_ready(state);
    reply.mine = state->serial;
    reply.instead = reply.yes && state->is_victim && source > world()->rank;
    reply.all = reply.yes && !reply.instead ? (uint32_t)own.count : 0;
    if (reply.instead)
        search_soon(now);
    else if (source < world()->rank)
        search_later(now);
    do {
        for (n = 0; n < most && at + n < reply.all; n++)
            needs[n] = (word_need){own.needs[at + n].rank, own.needs[at + n].answered};
        send_world(source, &reply, needs, n * sizeof *needs);
        at += n;
    } while (at < reply.all);
}

static void hear_confirm(int source, const word *w)
{
    const stuck_state *state = stuck_look();
    word reply = {.kind = WORD_CONFIRMED,
                  .number = w->number,
                  .yes = is_ready(state) && state->serial == w->yours};

    send_world(source, &reply, NULL, 0);
}

static void refresh(int64_t now)
{
    if (own.serial && (!own.all_asked || now - own.asked >= REFRESH_NS))
        ask(true, now);
}

static bool are_ranks(const word_need *needs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (needs[i].rank < 0 || needs[i].rank >= world()->size)
            return false;
    return true;
}

void deadlock_hear(par_comm *comm, int source, const word *w, const void *rest,
                   size_t bytes)
{
    const word_need *needs = rest;
    size_t count = bytes / sizeof *needs;
    int64_t now = wait_now_ns();

    if (w->kind == WORD_ASK)
        hear_ask(comm, source, w);
    else if (w->kind == WORD_ANSWER)
        hear_answer(comm, source, w, now);
    else if (comm != world())
        return;
    else if (w->kind == WORD_GET)
        hear_get(source, w, now);
    else if (w->kind == WORD_RECORD && are_ranks(needs, count))
        hear_record(source, w, needs, count, now);
    else if (w->kind == WORD_CONFIRM)
        hear_confirm(source, w);
    else if (w->kind == WORD_CONFIRMED)
        hear_confirmed(source, w, now);
    else if (w->kind == WORD_REFRESH)
        refresh(now);
}

/* ---- from time to time --------------------------------------------------- */

static int64_t next_look;

/* The longer this rank has waited the less often it looks whether it still does. */
static void look_later(const stuck_state *state, int64_t now)
{
    int64_t pause = state->serial ? (now - state->since) / 8 : LOOK_MIN_NS;

    if (pause < LOOK_MIN_NS)
        pause = LOOK_MIN_NS;
    next_look = now + (pause < LOOK_MAX_NS ? pause : LOOK_MAX_NS);
}

static void step_search(const stuck_state *state, int64_t now)
{
    if (search.phase != IDLE && now - search.heard > silent_ns)
        give_up(now);
    if (!search.due || now < search.next)
        return;
    search.due = false;
    if (is_ready(state) && state->is_victim)
        start(now);
}

bool deadlock_step(int64_t now, const bool **in_p)
{
    const stuck_state *state;

    if (now >= next_look || asked_anew || (search.due && now >= search.next)) {
        asked_anew = false;
        state = stuck_look();
        look_later(state, now);
        if (state->is_ripe) {
            if (own.serial != state->serial)
                begin(state, now);
            answer(state);
            step_search(state, now);
        }
    }
    if (!search.found)
        return false;
    search.found = false;
    for (int rank = 0; rank < world()->size; rank++)
        search.in[rank] = search.members[rank].state == CONFIRMED;
    *in_p = search.in;
    return true;
}
