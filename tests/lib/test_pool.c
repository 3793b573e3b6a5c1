/* test_pool.c - tasks for whichever rank is free.
 * SPDX-License-Identifier: MIT
 *
 * A task of these tests begins with a question, which says what to do, and its result
 * with an answer. On rank 0 one thread submits and waits, another one takes tasks.
 */
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include "check_pool.h"

enum { KIB = 1 << 10, MIB = 1 << 20, MANY = 100000, TWO_MINUTES = 120 };

typedef enum errand {
    ECHO,   /* answer with BYTES */
    FAIL,   /* answer with status 7 */
    NAP,    /* for BYTES milliseconds */
    GATE,   /* wait at the gate */
    NEST,   /* submit WIDTH tasks of DEPTH - 1, or if DEPTH is 0 answer with 1 */
    SHARED, /* answer with what the task names */
    LEAVE,  /* answer without a look at what came with the question */
    HANG,   /* until it is interrupted */
    BREAK,  /* submit WIDTH tasks that hang, and have them interrupted */
    WAIT,   /* for a task that hangs */
} errand;

typedef struct question {
    errand errand;
    uint32_t depth, width;
    uint64_t seed, bytes;
} question;

typedef struct answer {
    uint64_t seed, sum;
} answer;

static par_pool *pool;

/* ---- what the ranks do ---------------------------------------------------- */

static par_content object(void)
{
    return (par_content){.kind = PAR_OBJECT, .type = 1, .variant = 7};
}

/* Submit Q with BYTES more, in PARTS parts. They lie in ROOM behind the question, which
 * is written there, and stay the caller's; with no ROOM there are none. */
static uint64_t submit(int channel, uint64_t shared, question q, void *room, size_t bytes,
                       size_t part_count, bool *copied_p)
{
    par_content content = object();
    par_part parts[4] = {{room ? room : &q, sizeof q}};
    uint64_t task = 0;

    if (room)
        memcpy(room, &q, sizeof q);
    for (size_t i = 1; i < part_count; i++) {
        size_t from = bytes * (i - 1) / (part_count - 1);

        parts[i].data = room ? (char *)room + sizeof q + from : NULL;
        parts[i].bytes = bytes * i / (part_count - 1) - from;
    }
    ck_ok(par_pool_submit(pool, channel, shared, &content, parts, part_count, copied_p,
                          &task));
    ck_assert_uint_gt(task, 0);
    return task;
}

static uint64_t ask(int channel, question q)
{
    return submit(channel, 0, q, NULL, 0, 1, NULL);
}

static void do_task(par_pool_task *task);

/* The next result of CHANNEL; NULL when there is none to come. Tasks that come instead
 * are done if HELPS. */
static par_pool_result *next(int channel, bool helps)
{
    for (;;) {
        par_pool_result *result;
        par_pool_task *task = NULL;
        par_pool_turn turn;

        ck_ok(par_pool_wait(pool, channel, TWO_MINUTES, &result, helps ? &task : NULL,
                            &turn));
        ck_assert_int_eq(turn == PAR_POOL_RESULT, result != NULL);
        ck_assert_int_eq(turn == PAR_POOL_TASK, task != NULL);
        ck_assert_int_ne(turn, PAR_POOL_LATE);
        if (!task)
            return result;
        do_task(task);
    }
}

/* Copy the body of *MESSAGE_P, of BYTES, to memory that is to be freed. */
static unsigned char *body_of(par_message **message_p, size_t *bytes_p)
{
    par_content content;
    par_part parts[4];
    unsigned char *body, *at;

    par_message_content(*message_p, &content, NULL);
    ck_assert_int_eq(content.kind, PAR_OBJECT);
    ck_assert_int_eq(content.type, 1);
    ck_assert_int_eq(content.variant, 7);
    ck_assert_uint_le(content.part_count, 4);
    body = at = check_alloc(content.bytes);
    for (size_t i = 0; i < content.part_count; at += parts[i].bytes, i++)
        parts[i] =
            (par_part){at, content.part_bytes ? content.part_bytes[i] : content.bytes};
    ck_ok(par_message_take(message_p, parts, content.part_count));
    *bytes_p = content.bytes;
    return body;
}

/* The answer that RESULT begins with; what follows must be filled with its seed. */
static answer read_result(par_pool_result *result, size_t bytes)
{
    size_t length;
    unsigned char *body = body_of(par_pool_result_message(result), &length);
    answer a;

    ck_assert_uint_eq(length, sizeof a + bytes);
    memcpy(&a, body, sizeof a);
    ck_assert(check_is_filled(body + sizeof a, bytes, a.seed));
    free(body);
    return a;
}

static uint64_t count_nested(const par_pool_task *task, question q)
{
    uint64_t sum = 0;
    par_pool_result *result;
    int channel;

    if (q.depth == 0)
        return 1;
    ck_ok(par_pool_channel_open(pool, q.seed % 2, task, &channel));
    for (uint32_t i = 0; i < q.width; i++)
        ask(channel, (question){NEST, q.depth - 1, q.width, q.seed + i, 0});
    while ((result = next(channel, true))) {
        sum += read_result(result, 0).sum;
        par_pool_result_free(&result);
    }
    ck_ok(par_pool_channel_close(pool, channel));
    return sum;
}

static uint64_t sum_shared(const par_pool_task *task)
{
    const par_message *shared = par_pool_shared(pool, par_pool_task_shared(task));
    const unsigned char *body;
    par_content content;
    uint64_t sum = 0;

    ck_assert_ptr_nonnull(shared);
    body = par_message_body(shared);
    par_message_content(shared, &content, NULL);
    for (uint64_t i = 0; i < content.bytes; i++)
        sum += body[i];
    return sum;
}

static void nap(uint64_t ms)
{
    usleep((useconds_t)ms * 1000);
}

static _Atomic int hung, told;

/* Until TASK is interrupted. */
static void hang(const par_pool_task *task)
{
    hung += !par_pool_task_is_interrupted(task);
    for (int ms = 0; !par_pool_task_is_interrupted(task); ms++) {
        ck_assert_int_lt(ms, 1000 * TWO_MINUTES);
        nap(1);
    }
}

static void break_nested(const par_pool_task *task, question q)
{
    int channel;

    ck_ok(par_pool_channel_open(pool, false, task, &channel));
    for (uint32_t i = 0; i < q.width; i++)
        ask(channel, (question){.errand = HANG});
    nap(50);
    ck_ok(par_pool_channel_break(pool, channel));
}

static void wait_for_nested(const par_pool_task *task)
{
    int channel;
    par_pool_result *result;

    ck_ok(par_pool_channel_open(pool, false, task, &channel));
    for (int i = 0; i < 3; i++)
        ask(channel, (question){.errand = HANG});
    while ((result = next(channel, true)))
        par_pool_result_free(&result);
    ck_assert(par_pool_task_is_interrupted(task));
    ck_ok(par_pool_channel_close(pool, channel));
}

static void do_task(par_pool_task *task)
{
    par_content content = object();
    par_message **message = par_pool_task_message(task);
    question q = {.errand = LEAVE};
    answer a = {0, 0};
    unsigned char *rest = NULL;
    par_content came;
    size_t bytes;

    par_message_content(*message, &came, NULL);
    if (!(came.part_count == 3)) { /* which stands for LEAVE */
        unsigned char *body = body_of(message, &bytes);

        memcpy(&q, body, sizeof q);
        ck_assert(check_is_filled(body + sizeof q, bytes - sizeof q, q.seed));
        free(body);
    }
    a.seed = q.seed + 1;
    if (q.errand == ECHO) {
        rest = check_alloc(q.bytes);
        check_fill(rest, q.bytes, a.seed);
    } else if (q.errand == NAP) {
        nap(q.bytes);
    } else if (q.errand == GATE) {
        check_gate_pass();
    } else if (q.errand == NEST) {
        a.sum = count_nested(task, q);
    } else if (q.errand == SHARED) {
        a.sum = sum_shared(task);
    } else if (q.errand == HANG) {
        hang(task);
    } else if (q.errand == BREAK) {
        break_nested(task, q);
    } else if (q.errand == WAIT) {
        wait_for_nested(task);
    }
    par_part parts[] = {{&a, sizeof a}, {rest, rest ? q.bytes : 0}};
    ck_ok(par_pool_answer(pool, &task, q.errand == FAIL ? 7 : 0, &content, parts,
                          rest ? 2 : 1));
    ck_assert_ptr_null(task);
    free(rest);
}

static void *serve(void *unused)
{
    par_pool_task *task;

    (void)unused;
    for (;;) {
        ck_ok(par_pool_take(pool, &task));
        if (!task)
            return NULL;
        do_task(task);
    }
}

/* Open a pool in which every rank does tasks, and run BODY on rank 0. */
static void with_pool_of(par_comm *comm, void (*body)(void))
{
    pthread_t server;

    ck_ok(par_pool_open(comm, NULL, &pool));
    if (par_rank(comm)) {
        serve(NULL);
    } else {
        ck_assert_int_eq(pthread_create(&server, NULL, serve, NULL), 0);
        body();
        ck_ok(par_pool_stop(pool, false));
        pthread_join(server, NULL);
    }
    ck_ok(par_pool_close(&pool));
    ck_assert_ptr_null(pool);
}

static void with_pool(void (*body)(void))
{
    with_pool_of(world, body);
}

/* BODY opens the gate, too. */
static void with_gate(void (*body)(void))
{
    with_pool(body);
    check_gate_close();
}

static int open_channel(bool ordered)
{
    int channel;

    ck_ok(par_pool_channel_open(pool, ordered, NULL, &channel));
    return channel;
}

/* ---- results -------------------------------------------------------------- */

static void answer_one(void)
{
    int channel = open_channel(false);
    uint64_t task = ask(channel, (question){.errand = ECHO, .seed = 5, .bytes = 3});
    par_pool_result *result = next(channel, false);

    ck_assert_ptr_nonnull(result);
    ck_assert_uint_eq(par_pool_result_task(result), task);
    ck_assert_int_eq(par_pool_result_status(result), 0);
    ck_assert_int_ge(par_pool_result_worker(result), 0);
    ck_assert_int_lt(par_pool_result_worker(result), ranks);
    ck_assert_uint_eq(read_result(result, 3).seed, 6);
    par_pool_result_free(&result);
    ck_assert_ptr_null(result);
    ck_assert_ptr_null(next(channel, false));
    ask(channel, (question){.errand = FAIL});
    result = next(channel, false);
    ck_assert_int_eq(par_pool_result_status(result), 7);
    par_pool_result_free(&result);
}

START_TEST(a_task_is_answered)
{
    with_pool(answer_one);
}
END_TEST

/* Some fit a message with others, some just not, some are large. */
static size_t draw_size(uint64_t *state)
{
    uint64_t kind = check_next(state) % 16;

    if (kind == 0)
        return check_next(state) % (8 * MIB);
    if (kind < 4)
        return 3700 + check_next(state) % 400;
    return check_next(state) % (kind < 8 ? 64 * KIB : 300);
}

enum { DRAWN = 120 };

static void draw_all(void)
{
    int channel[2] = {open_channel(true), open_channel(false)};
    uint64_t state = 1, tasks[DRAWN], sizes[DRAWN];
    unsigned char *memory[DRAWN] = {NULL};
    bool seen[DRAWN] = {false};
    size_t first = 0;

    for (size_t i = 0; i < DRAWN; i++) {
        size_t bytes = draw_size(&state), parts = check_next(&state) % 2 ? 2 : 4;
        bool copied, borrow = check_next(&state) % 2;
        question q = {.errand = ECHO, .seed = i};

        sizes[i] = q.bytes = draw_size(&state);
        memory[i] = check_alloc(sizeof q + bytes);
        check_fill(memory[i] + sizeof q, bytes, i);
        tasks[i] = submit(channel[i % 2], 0, q, memory[i], bytes, parts,
                          borrow ? &copied : NULL);
        if (!borrow || copied) {
            free(memory[i]);
            memory[i] = NULL;
        }
    }
    first = tasks[0];
    for (int c = 0; c < 2; c++)
        for (size_t i = (size_t)c; i < DRAWN; i += 2) {
            par_pool_result *result = next(channel[c], false);
            size_t which = par_pool_result_task(result) - first;

            if (c == 0)
                ck_assert_uint_eq(which, i);
            ck_assert_uint_lt(which, DRAWN);
            ck_assert(!seen[which]);
            seen[which] = true;
            ck_assert_uint_eq(read_result(result, sizes[which]).seed, which + 1);
            par_pool_result_free(&result);
        }
    for (uint64_t task; (task = par_pool_released(pool));) {
        ck_assert_ptr_nonnull(memory[task - first]);
        free(memory[task - first]);
        memory[task - first] = NULL;
    }
    for (size_t i = 0; i < DRAWN; i++)
        ck_assert_ptr_null(memory[i]);
}

START_TEST(tasks_and_results_of_all_sizes_arrive_in_order_where_asked)
{
    with_pool(draw_all);
}
END_TEST

static void hand_over(void)
{
    int channel = open_channel(true);
    par_pool_result *result;
    unsigned char *memory;

    ask(channel, (question){.errand = ECHO, .seed = 1, .bytes = MIB});
    result = next(channel, false);
    memory = par_pool_result_hand_over(result);
    ck_assert_ptr_nonnull(memory);
    ck_assert_ptr_eq(memory, par_message_body(*par_pool_result_message(result)));
    ck_assert_ptr_null(par_pool_result_hand_over(result));
    par_pool_result_free(&result);
    ck_assert(check_is_filled(memory + sizeof(answer), MIB, 2));
    par_free(memory);
}

START_TEST(the_memory_of_a_large_result_can_be_kept)
{
    with_pool(hand_over);
}
END_TEST

static void leave_it(void)
{
    int channel = open_channel(false);
    unsigned char *rest = check_alloc(sizeof(question) + MIB);
    bool copied;
    par_pool_result *result;

    for (int i = 0; i < 6; i++)
        submit(channel, 0, (question){.errand = LEAVE}, rest, i % 2 ? MIB : 10, 3,
               &copied);
    while ((result = next(channel, false)))
        par_pool_result_free(&result);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_gt(par_pool_released(pool), 0);
    free(rest);
}

START_TEST(a_task_may_be_answered_without_a_look_at_it)
{
    with_pool(leave_it);
}
END_TEST

/* ---- many ----------------------------------------------------------------- */

/* Nothing under AddressSanitizer, which keeps what is freed. */
static long peak_kib(void)
{
    struct rusage usage;

#if defined(__SANITIZE_ADDRESS__)
    return 0;
#endif
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void flood(void)
{
    int channel = open_channel(false);
    uint64_t sum = 0, count = 0;
    long before = peak_kib();
    par_pool_result *result;

    for (uint64_t i = 0; i < MANY; i++)
        ask(channel, (question){.errand = ECHO, .seed = i});
    while ((result = next(channel, false))) {
        sum += read_result(result, 0).seed;
        count++;
        par_pool_result_free(&result);
    }
    ck_assert_uint_eq(count, MANY);
    ck_assert_uint_eq(sum, (uint64_t)MANY * (MANY + 1) / 2);
    ck_assert_int_lt(peak_kib() - before, 100 * KIB); /* less than 1 KiB each */
}

START_TEST(a_hundred_thousand_tasks_fit_at_once)
{
    with_pool(flood);
}
END_TEST

/* A window of tasks under way. */
static void stream(void)
{
    enum { WINDOW = 500, WARM = 20000 };
    int channel = open_channel(true);
    long warm = 0;
    uint64_t first = 0;

    for (uint64_t i = 0; i < MANY + WINDOW; i++) {
        par_pool_result *result;

        if (i < MANY) {
            uint64_t task = ask(channel, (question){.errand = ECHO, .seed = i});

            first = i ? first : task;
        }
        if (i == WARM)
            warm = peak_kib();
        if (i < WINDOW)
            continue;
        result = next(channel, false);
        ck_assert_uint_eq(par_pool_result_task(result), first + i - WINDOW);
        par_pool_result_free(&result);
    }
    ck_assert_ptr_null(next(channel, false));
    ck_assert_int_lt(peak_kib() - warm, 8 * KIB);
}

START_TEST(a_stream_of_tasks_takes_no_more_memory)
{
    with_pool(stream);
}
END_TEST

/* ---- nested --------------------------------------------------------------- */

static void nest(void)
{
    int channel = open_channel(false);
    uint64_t sum = 0;
    par_pool_result *result;

    for (int i = 0; i < 4; i++)
        ask(channel, (question){NEST, 5, 3, (uint64_t)i, 0});
    while ((result = next(channel, false))) {
        sum += read_result(result, 0).sum;
        par_pool_result_free(&result);
    }
    ck_assert_uint_eq(sum, 4 * 3 * 3 * 3 * 3 * 3);
}

START_TEST(tasks_wait_for_tasks_that_they_submit)
{
    with_pool(nest);
}
END_TEST

/* Nobody takes tasks: who waits does them. */
static void help(void)
{
    int channel = open_channel(true);
    par_pool_result *result;

    for (uint64_t i = 0; i < 10; i++)
        ask(channel, (question){.errand = ECHO, .seed = i});
    ask(channel, (question){NEST, 3, 2, 0, 0});
    for (uint64_t i = 0; i < 10; i++) {
        result = next(channel, true);
        ck_assert_uint_eq(read_result(result, 0).seed, i + 1);
        par_pool_result_free(&result);
    }
    result = next(channel, true);
    ck_assert_uint_eq(read_result(result, 0).sum, 8);
    par_pool_result_free(&result);
    ck_assert_ptr_null(next(channel, true));
}

START_TEST(one_thread_can_do_everything)
{
    ck_ok(par_pool_open(world, NULL, &pool));
    if (me == 0)
        help();
    ck_ok(par_pool_close(&pool)); /* the others have never taken any */
}
END_TEST

/* ---- shared --------------------------------------------------------------- */

static uint64_t share(size_t bytes, uint64_t seed, uint64_t *sum_p)
{
    unsigned char *data = check_alloc(bytes);
    par_content content = object();
    par_part part = {data, bytes};
    uint64_t shared = 0;

    check_fill(data, bytes, seed);
    *sum_p = 0;
    for (size_t i = 0; i < bytes; i++)
        *sum_p += data[i];
    ck_ok(par_pool_share(pool, &content, &part, 1, &shared));
    ck_assert_uint_gt(shared, 0);
    free(data);
    return shared;
}

static void check_shared(uint64_t shared, uint64_t sum, int count)
{
    int channel = open_channel(false);
    par_pool_result *result;

    for (int i = 0; i < count; i++)
        submit(channel, shared, (question){.errand = SHARED}, NULL, 0, 1, NULL);
    while ((result = next(channel, false))) {
        ck_assert_uint_eq(read_result(result, 0).sum, sum);
        par_pool_result_free(&result);
        count--;
    }
    ck_assert_int_eq(count, 0);
    ck_ok(par_pool_channel_close(pool, channel));
}

static void share_some(void)
{
    uint64_t sums[2], shared[2] = {share(100, 1, &sums[0]), share(MIB, 2, &sums[1])};
    int channel = open_channel(false);
    par_content content = object();
    uint64_t task;

    for (int i = 0; i < 3; i++) {
        check_shared(shared[0], sums[0], 20);
        check_shared(shared[1], sums[1], 20);
    }
    ck_ok(par_pool_forget(pool, shared[0]));
    ck_fails(PAR_ERR_ARG, par_pool_forget(pool, shared[0]));
    ck_fails(PAR_ERR_ARG,
             par_pool_submit(pool, channel, shared[0], &content, NULL, 0, NULL, &task));
    ck_detail("has not shared anything as");
    ck_assert_ptr_null(par_pool_shared(pool, shared[0]));
    ck_assert_uint_eq(par_pool_dropped(pool), shared[0]);
    ck_assert_uint_eq(par_pool_dropped(pool), 0);
    check_shared(shared[1], sums[1], 20);
    ck_assert_uint_gt(share(10, 3, &sums[0]), shared[1]);
}

START_TEST(what_is_shared_is_there_until_it_is_forgotten)
{
    with_pool(share_some);
}
END_TEST

/* ---- taking back ---------------------------------------------------------- */

static void cancel_some(void)
{
    enum { MORE = 40 }; /* than ranks */
    int channel = open_channel(true);
    uint64_t tasks[MORE];
    bool cancelled[MORE];
    int left = 0;
    par_pool_result *result;

    for (int i = 0; i < MORE; i++)
        tasks[i] = ask(channel, (question){.errand = GATE});
    for (int i = MORE - 1; i >= 0; i--)
        ck_ok(par_pool_cancel(pool, tasks[i], &cancelled[i]));
    ck_assert(cancelled[MORE - 1]);
    for (int i = 0; i < MORE; i++) {
        bool again = true;

        ck_ok(par_pool_cancel(pool, tasks[i], &again));
        ck_assert(!again);
        left += !cancelled[i];
    }
    check_gate_open();
    while ((result = next(channel, false))) {
        ck_assert(!cancelled[par_pool_result_task(result) - tasks[0]]);
        par_pool_result_free(&result);
        left--;
    }
    ck_assert_int_eq(left, 0);
}

START_TEST(tasks_that_are_not_begun_can_be_taken_back)
{
    with_gate(cancel_some);
}
END_TEST

static void close_early(void)
{
    unsigned char *rest = check_alloc(sizeof(question) + MIB);
    int channel = open_channel(false), other = open_channel(false);
    bool copied;
    par_pool_result *result;
    par_pool_turn turn;

    for (int i = 0; i < 20; i++)
        submit(channel, 0, (question){.errand = NAP, .bytes = 5}, rest, 0, 1, NULL);
    for (int i = 0; i < 10; i++)
        submit(channel, 0, (question){.errand = LEAVE}, rest, MIB, 3, &copied);
    ck_ok(par_pool_channel_close(pool, channel));
    ck_fails(PAR_ERR_ARG, par_pool_wait(pool, channel, 1, &result, NULL, &turn));
    ck_detail("is not open");
    for (int i = 0; i < 10; i++) /* before the memory goes */
        while (!par_pool_released(pool))
            nap(1);
    free(rest);
    ask(other, (question){.errand = ECHO, .seed = 8});
    result = next(other, false);
    ck_assert_uint_eq(read_result(result, 0).seed, 9);
    par_pool_result_free(&result);
}

START_TEST(a_channel_can_be_closed_at_any_time)
{
    with_pool(close_early);
}
END_TEST

static void note_interrupt(void *context, const par_pool_task *task)
{
    ck_assert_ptr_eq(context, &told);
    ck_assert(par_pool_task_is_interrupted(task));
    told++;
}

/* The others do tasks that nobody ends but by an interrupt; then all do others. */
static void break_all(void)
{
    int channel = open_channel(false), other = open_channel(true), count = 0;
    par_pool_result *result;

    for (int i = 0; i < 3 * ranks; i++)
        ask(channel, (question){.errand = i % 2 ? WAIT : HANG});
    while (!hung)
        nap(1);
    ck_ok(par_pool_channel_break(pool, channel));
    ck_fails(PAR_ERR_ARG, par_pool_channel_break(pool, channel));
    for (int i = 0; i < 3 * ranks; i++)
        ask(other, (question){.errand = BREAK, .width = 3});
    for (; (result = next(other, false)); count++)
        par_pool_result_free(&result);
    ck_assert_int_eq(count, 3 * ranks);
}

START_TEST(tasks_that_have_begun_can_be_interrupted)
{
    pthread_t server;

    hung = told = 0;
    ck_ok(par_pool_open(world, NULL, &pool));
    ck_ok(par_pool_on_interrupt(pool, note_interrupt, &told));
    ck_fails(PAR_ERR_STATE, par_pool_on_interrupt(pool, note_interrupt, &told));
    if (me) {
        serve(NULL);
    } else {
        ck_assert_int_eq(pthread_create(&server, NULL, serve, NULL), 0);
        break_all();
        ck_ok(par_pool_stop(pool, false));
        pthread_join(server, NULL);
    }
    ck_ok(par_pool_close(&pool));
    ck_assert_int_ge(told, hung);
}
END_TEST

typedef struct later {
    int channel, ms;
} later;

static void *close_later(void *argument)
{
    later l = *(later *)argument;

    nap((uint64_t)l.ms);
    ck_ok(par_pool_channel_close(pool, l.channel));
    return NULL;
}

/* What a wait comes to while the channel is closed after so many milliseconds: an error,
 * if the wait is late. */
static par_error wait_while_it_closes(int ms)
{
    later l = {open_channel(false), ms};
    par_pool_result *result = NULL;
    par_pool_turn turn = PAR_POOL_NOTHING;
    pthread_t closer;
    par_error err;

    ask(l.channel, (question){.errand = GATE});
    pthread_create(&closer, NULL, close_later, &l);
    err = par_pool_wait(pool, l.channel, TWO_MINUTES, &result, NULL, &turn);
    pthread_join(closer, NULL);
    ck_assert_int_eq(turn, PAR_POOL_NOTHING);
    ck_assert_ptr_null(result);
    return err;
}

static void close_under_a_waiter(void)
{
    par_error err = PAR_ERR_ARG;

    for (int ms = 100; err; ms *= 2) {
        ck_assert_int_lt(ms, 10000);
        ck_fails(PAR_ERR_ARG, err);
        err = wait_while_it_closes(ms);
    }
    check_gate_open();
}

START_TEST(who_waits_for_a_channel_that_is_closed_is_told)
{
    with_gate(close_under_a_waiter);
}
END_TEST

START_TEST(a_pool_that_is_stopped_discards_what_nobody_has_begun)
{
    par_pool_result *result;
    int channel;
    pthread_t server;

    ck_ok(par_pool_open(world, NULL, &pool));
    if (me) {
        serve(NULL);
    } else {
        pthread_create(&server, NULL, serve, NULL);
        channel = open_channel(false);
        for (int i = 0; i < 10000; i++)
            ask(channel, (question){.errand = NAP, .bytes = 10});
        ck_ok(par_pool_stop(pool, true));
        for (int i = 0; (result = next(channel, false)); i++) {
            ck_assert_int_lt(i, 9000);
            par_pool_result_free(&result);
        }
        par_content content = object();
        uint64_t task;

        ck_fails(PAR_ERR_STATE,
                 par_pool_submit(pool, channel, 0, &content, NULL, 0, NULL, &task));
        ck_detail("has been stopped");
        pthread_join(server, NULL);
    }
    ck_ok(par_pool_close(&pool));
}
END_TEST

/* ---- waiting -------------------------------------------------------------- */

static void be_late(void)
{
    int channel = open_channel(false);
    par_pool_result *result;
    par_pool_turn turn;

    ask(channel, (question){.errand = GATE});
    ck_ok(par_pool_wait(pool, channel, 0, &result, NULL, &turn));
    ck_assert_int_eq(turn, PAR_POOL_LATE);
    ck_ok(par_pool_wait(pool, channel, 0.05, &result, NULL, &turn));
    ck_assert_int_eq(turn, PAR_POOL_LATE);
    ck_assert_ptr_null(result);
    check_gate_open();
    result = next(channel, false);
    ck_assert_ptr_nonnull(result);
    par_pool_result_free(&result);
}

START_TEST(a_wait_ends_in_time)
{
    with_gate(be_late);
}
END_TEST

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec +
           (double)usage.ru_stime.tv_sec + 1e-6 * (double)usage.ru_stime.tv_usec;
}

static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;

static void *open_door(void *seconds)
{
    sleep(*(unsigned *)seconds);
    pthread_mutex_unlock(&door);
    return NULL;
}

/* An idle pool, with rank 0's thread in a lock or a select, is no deadlock. */
static void idle(void)
{
    unsigned seconds = 2;
    pthread_t opener;
    int channel = open_channel(false);
    par_pool_result *result;
    double before = cpu_seconds(), start = par_time();

    select(0, NULL, NULL, NULL, &(struct timeval){.tv_sec = 1});
    pthread_mutex_lock(&door);
    pthread_create(&opener, NULL, open_door, &seconds);
    pthread_mutex_lock(&door);
    pthread_mutex_unlock(&door);
    pthread_join(opener, NULL);
    ck_assert_double_lt(cpu_seconds() - before, 0.5 * (par_time() - start));
    ask(channel, (question){.errand = ECHO, .seed = 1});
    result = next(channel, false);
    ck_assert_uint_eq(read_result(result, 0).seed, 2);
    par_pool_result_free(&result);
}

START_TEST(an_idle_pool_sleeps_and_is_no_deadlock)
{
    with_pool(idle);
}
END_TEST

/* ---- several -------------------------------------------------------------- */

START_TEST(a_pool_may_have_some_of_the_ranks)
{
    par_comm *half;

    ck_ok(par_split(world, me % 2, -me, &half));
    with_pool_of(half, answer_one);
    ck_ok(par_comm_free(&half));
}
END_TEST

START_TEST(a_pool_can_be_opened_and_closed_often)
{
    for (int i = 0; i < 5; i++)
        with_pool(answer_one);
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    par_pool_options options = {.ahead = -1};
    par_pool_task *task = NULL;
    par_content content = object();

    if (ranks == 1) {
        ck_fails(PAR_ERR_ARG, par_pool_open(world, &options, &pool));
        ck_detail("ahead and local are -1 and 0");
    }
    ck_fails(PAR_ERR_ARG, par_pool_open(NULL, NULL, &pool));
    ck_fails(PAR_ERR_ARG, par_pool_open(world, NULL, NULL));
    ck_fails(PAR_ERR_ARG, par_pool_take(NULL, &task));
    ck_ok(par_pool_open(world, NULL, &pool));
    ck_fails(PAR_ERR_ARG, par_pool_answer(pool, &task, 0, &content, NULL, 0));
    ck_fails(PAR_ERR_ARG, par_pool_channel_close(pool, 3));
    ck_detail("channel 3 is not open");
    ck_fails(PAR_ERR_ARG, par_pool_on_interrupt(pool, NULL, NULL));
    ck_fails(PAR_ERR_ARG, par_pool_give_up(pool, &task));
    if (me) {
        ck_fails(PAR_ERR_RANK, par_pool_stop(pool, false));
        ck_detail("rank 0 can");
    }
    ck_ok(par_pool_close(&pool));
    ck_ok(par_pool_close(&pool));
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_task_is_answered);
    check_add(suite, tasks_and_results_of_all_sizes_arrive_in_order_where_asked);
    check_add(suite, the_memory_of_a_large_result_can_be_kept);
    check_add(suite, a_task_may_be_answered_without_a_look_at_it);
    check_add(suite, a_hundred_thousand_tasks_fit_at_once);
    check_add(suite, a_stream_of_tasks_takes_no_more_memory);
    check_add(suite, tasks_wait_for_tasks_that_they_submit);
    check_add(suite, one_thread_can_do_everything);
    check_add(suite, what_is_shared_is_there_until_it_is_forgotten);
    check_add(suite, tasks_that_are_not_begun_can_be_taken_back);
    check_add(suite, a_channel_can_be_closed_at_any_time);
    check_add(suite, tasks_that_have_begun_can_be_interrupted);
    check_add(suite, who_waits_for_a_channel_that_is_closed_is_told);
    check_add(suite, a_pool_that_is_stopped_discards_what_nobody_has_begun);
    check_add(suite, a_wait_ends_in_time);
    check_add(suite, an_idle_pool_sleeps_and_is_no_deadlock);
    check_add(suite, a_pool_may_have_some_of_the_ranks);
    check_add(suite, a_pool_can_be_opened_and_closed_often);
    check_add(suite, what_is_wrong_is_said);
}

const check_program program = {.name = "pool", .add = add};
