/* test_wait.c - what happens while a rank waits: threads, hooks, little CPU.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* RUSAGE_THREAD */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check_par.h"
#include "lock.h"
#include "wait.h"

/* Everybody sends to the right and receives from the left: on one rank, from
 * oneself. */
static int right(void)
{
    return (me + 1) % ranks;
}

static int left(void)
{
    return (me + ranks - 1) % ranks;
}

static pthread_t start(void *(*run)(void *), void *argument)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, run, argument), 0);
    return thread;
}

static void join(pthread_t thread)
{
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* ---- threads --------------------------------------------------------------- */

enum { PAIRS = 4, MESSAGES = 300 };

static size_t size_of(int pair, int n)
{
    return n % 50 == 49 ? 100000 + (size_t)pair : (size_t)(n * 13 + pair);
}

static uint64_t seed_of(int rank, int pair, int n)
{
    return (uint64_t)((rank * PAIRS + pair) * MESSAGES + n);
}

static void *send_many(void *argument)
{
    int pair = *(int *)argument;
    unsigned char *data = check_alloc(200000);

    for (int n = 0; n < MESSAGES; n++) {
        check_fill(data, size_of(pair, n), seed_of(me, pair, n));
        ck_ok(par_send(world, data, size_of(pair, n), PAR_BYTE, right(), 100 + pair));
    }
    free(data);
    return NULL;
}

static void *receive_many(void *argument)
{
    int pair = *(int *)argument;
    unsigned char *data = check_alloc(200000);

    for (int n = 0; n < MESSAGES; n++) {
        par_status status;

        ck_ok(par_receive(world, data, 200000, PAR_BYTE, left(), 100 + pair, &status));
        ck_assert_uint_eq(status.count, size_of(pair, n));
        ck_assert(check_is_filled(data, status.count, seed_of(left(), pair, n)));
    }
    free(data);
    return NULL;
}

START_TEST(threads_of_a_rank_send_and_receive_at_the_same_time)
{
    pthread_t threads[2 * PAIRS];
    int pairs[PAIRS];

    for (int i = 0; i < PAIRS; i++) {
        pairs[i] = i;
        threads[2 * i] = start(receive_many, &pairs[i]);
        threads[2 * i + 1] = start(send_many, &pairs[i]);
    }
    for (int i = 0; i < 2 * PAIRS; i++)
        join(threads[i]);
}
END_TEST

static void *receive_one(void *got)
{
    ck_ok(par_receive(world, got, 1, PAR_INT64, left(), 200, NULL));
    return NULL;
}

START_TEST(a_waiting_thread_does_not_keep_others_from_the_library)
{
    int64_t got = 0, number = 5;
    pthread_t waiting = start(receive_one, &got);

    for (int i = 0; i < 200; i++)
        ck_ok(par_barrier(world));
    ck_ok(par_send(world, &number, 1, PAR_INT64, right(), 200));
    join(waiting);
    ck_assert_int_eq(got, 5);
}
END_TEST

static void *count_any(void *sum)
{
    for (int i = 0; i < MESSAGES; i++) {
        int64_t number;

        ck_ok(par_receive(world, &number, 1, PAR_INT64, PAR_ANY_SOURCE, 210, NULL));
        atomic_fetch_add((atomic_long *)sum, number);
    }
    return NULL;
}

START_TEST(no_message_goes_to_two_threads_or_to_none)
{
    atomic_long sum = 0;
    pthread_t threads[PAIRS];

    for (int i = 0; i < PAIRS; i++)
        threads[i] = start(count_any, &sum);
    for (int64_t n = 0; n < PAIRS * MESSAGES; n++)
        ck_ok(par_send(world, &n, 1, PAR_INT64, right(), 210));
    for (int i = 0; i < PAIRS; i++)
        join(threads[i]);
    ck_assert_int_eq(sum, (long)PAIRS * MESSAGES * (PAIRS * MESSAGES - 1) / 2);
}
END_TEST

static par_request *shared;

static void *wait_for_shared(void *unused)
{
    (void)unused;
    ck_fails(PAR_ERR_CANCELLED, par_wait(&shared, NULL));
    return NULL;
}

START_TEST(a_receive_can_be_called_back_while_a_thread_waits_for_it)
{
    int64_t got = -1;
    bool cancelled;
    pthread_t waiting;

    for (int i = 0; i < 20; i++) {
        par_request *request;

        ck_ok(par_receive_start(world, &got, 1, PAR_INT64, left(), 220, &shared));
        request = shared;
        waiting = start(wait_for_shared, NULL);
        usleep(i % 2 ? 0 : 10000);
        ck_ok(par_cancel(request, &cancelled));
        ck_assert(cancelled);
        join(waiting);
        ck_assert_ptr_null(shared);
        ck_assert_int_eq(got, -1);
    }
}
END_TEST

/* ---- hooks ----------------------------------------------------------------- */

/* What the hooks have seen; released is what the last release gave. */
static struct {
    atomic_int releases, acquires, interrupts;
    atomic_bool stop, is_released;
    int last;           /* with this interruption */
    par_request *event; /* is set, unless it is NULL */
} seen;

static void *on_release(void *context)
{
    ck_assert_ptr_eq(context, &seen);
    ck_assert(!atomic_exchange(&seen.is_released, true));
    return (void *)(intptr_t)(1000 + ++seen.releases);
}

static void on_acquire(void *context, void *released)
{
    ck_assert_ptr_eq(context, &seen);
    ck_assert(atomic_exchange(&seen.is_released, false));
    ck_assert_int_eq((intptr_t)released, 1000 + seen.releases);
    seen.acquires++;
}

static bool on_interrupt(void *context)
{
    ck_assert_ptr_eq(context, &seen);
    /* It runs as its owner: all has been taken back, and the library is free. */
    ck_assert(!seen.is_released);
    ck_ok(par_probe_now(world, PAR_ANY_SOURCE, PAR_ANY_TAG, NULL, &(bool){false}));
    if (++seen.interrupts == seen.last && seen.event)
        ck_ok(par_event_set(seen.event));
    return seen.stop;
}

static void set_hooks(bool stop)
{
    static const par_hooks hooks = {.release = on_release,
                                    .acquire = on_acquire,
                                    .interrupt = on_interrupt,
                                    .context = &seen};

    seen.releases = seen.acquires = seen.interrupts = 0;
    seen.is_released = false;
    seen.stop = stop;
    par_set_hooks(&hooks);
}

static void clear_hooks(void)
{
    par_set_hooks(NULL);
    ck_assert_int_eq(seen.releases, seen.acquires);
    ck_assert(!seen.is_released);
}

/* The library is busy for so many seconds, with nothing. */
static void wait_for_nothing(double seconds)
{
    par_request *event;
    size_t place, done;

    ck_ok(par_event_start(world, &event));
    ck_ok(par_wait_some(&event, 1, seconds, &place, &done));
    ck_ok(par_event_set(event));
    ck_ok(par_wait(&event, NULL));
}

/* The library is busy until it has asked COUNT times whether to go on. */
static void wait_for_interrupts(int count)
{
    enum { TWO_MINUTES = 120 };
    par_request *event;
    size_t place, done;

    ck_ok(par_event_start(world, &event));
    seen.last = count;
    seen.event = event;
    ck_ok(par_wait_some(&event, 1, TWO_MINUTES, &place, &done));
    seen.event = NULL;
    ck_assert_uint_eq(done, 1);
    ck_ok(par_wait(&event, NULL));
}

START_TEST(a_long_wait_releases_and_asks_in_between)
{
    set_hooks(false);
    wait_for_interrupts(2);
    ck_assert_int_eq(seen.interrupts, 2);
    ck_assert_int_eq(seen.releases, seen.interrupts + 1);
    clear_hooks();
}
END_TEST

START_TEST(what_does_not_wait_calls_no_hook)
{
    int64_t number = 5;

    set_hooks(true);
    for (int i = 0; i < 100; i++) {
        ck_ok(par_send(world, &number, 1, PAR_INT64, me, 300));
        ck_ok(par_receive(world, &number, 1, PAR_INT64, me, 300, NULL));
    }
    ck_assert_int_eq(seen.releases, 0);
    ck_assert_int_eq(seen.interrupts, 0);
    clear_hooks();
}
END_TEST

START_TEST(hooks_may_be_missing)
{
    static const par_hooks none = {.release = NULL};
    static const par_hooks interrupt = {.interrupt = on_interrupt, .context = &seen};

    par_set_hooks(&none);
    wait_for_nothing(0.2);
    set_hooks(false);
    par_set_hooks(&interrupt);
    wait_for_interrupts(1);
    ck_assert_int_eq(seen.releases, 0);
    clear_hooks();
}
END_TEST

static void *wait_for_event(void *event)
{
    ck_ok(par_wait(event, NULL));
    return NULL;
}

START_TEST(hooks_that_were_taken_away_are_asked_nothing)
{
    par_request *event;
    pthread_t waiting;
    int asked;

    ck_ok(par_event_start(world, &event));
    set_hooks(false);
    waiting = start(wait_for_event, &event);
    while (seen.interrupts < 2)
        usleep(1000);
    par_set_hooks(NULL);
    asked = seen.interrupts;
    wait_for_nothing(0.5);
    ck_assert_int_le(seen.interrupts, asked + 1); /* it may have been under way */
    ck_ok(par_event_set(event));
    join(waiting);
    ck_assert_int_eq(seen.releases, seen.acquires);
}
END_TEST

/* Each of these waits for a message, or for others, that will only come after
 * the interruption. */
static void expect_interruptions(void)
{
    int64_t number = -1;
    par_message *message = NULL;
    par_request *request, *requests[1];
    par_status status;
    size_t place, done;

    ck_fails(PAR_ERR_INTERRUPTED,
             par_receive(world, &number, 1, PAR_INT64, left(), 310, NULL));
    ck_fails(PAR_ERR_INTERRUPTED, par_message_receive(world, left(), 310, &message));
    ck_fails(PAR_ERR_INTERRUPTED, par_probe(world, left(), 310, &status));
    ck_assert_ptr_null(message);

    ck_ok(par_receive_start(world, &number, 1, PAR_INT64, left(), 310, &request));
    ck_fails(PAR_ERR_INTERRUPTED, par_wait(&request, &status));
    ck_assert_ptr_nonnull(request);
    requests[0] = request;
    ck_fails(PAR_ERR_INTERRUPTED, par_wait_any(requests, 1, &place, &status));
    ck_fails(PAR_ERR_INTERRUPTED, par_wait_some(requests, 1, -1, &place, &done));
    ck_fails(PAR_ERR_INTERRUPTED, par_wait_all(requests, 1, &status));
    ck_assert_ptr_eq(requests[0], request);
    par_set_hooks(NULL);
    ck_assert_int_eq(number, -1);

    ck_ok(par_barrier(world));
    ck_ok(par_send(world, &(int64_t){me}, 1, PAR_INT64, right(), 310));
    ck_ok(par_wait(&request, NULL));
    ck_assert_int_eq(number, left());
}

START_TEST(an_interrupted_wait_ends_and_its_message_comes_later)
{
    int64_t number = -1;

    set_hooks(true);
    expect_interruptions();
    clear_hooks();
    number = me;
    ck_ok(par_send(world, &number, 1, PAR_INT64, right(), 310));
    ck_ok(par_receive(world, &number, 1, PAR_INT64, left(), 310, NULL));
    ck_assert_int_eq(number, left());
}
END_TEST

static void *be_interrupted(void *number)
{
    ck_fails(PAR_ERR_INTERRUPTED,
             par_receive(world, number, 1, PAR_INT64, left(), 360, NULL));
    return NULL;
}

/* Its frame is gone, on a stack of its own where nothing covers what is left. */
START_TEST(a_receive_that_was_interrupted_takes_no_message)
{
    int64_t kept = -1, number = me;
    par_status status;

    set_hooks(true);
    join(start(be_interrupted, &kept));
    clear_hooks();
    ck_ok(par_barrier(world)); /* nobody sends before all are interrupted */
    ck_ok(par_send(world, &number, 1, PAR_INT64, right(), 360));
    ck_ok(par_probe(world, left(), 360, &status));
    ck_ok(par_receive(world, &number, 1, PAR_INT64, left(), 360, NULL));
    ck_assert_int_eq(number, left());
    ck_assert_int_eq(kept, -1);
}
END_TEST

/* Interruptions and messages meet at every moment; no message may be lost,
 * none may come twice. */
START_TEST(interruptions_lose_no_message)
{
    enum { COUNT = 12, SIZE = 30000 };
    int64_t *out = check_alloc(SIZE * sizeof *out), *in = check_alloc(SIZE * sizeof *in);

    set_hooks(true);
    for (int64_t n = 0; n < COUNT; n++) {
        size_t count = n % 2 ? 1 : SIZE;
        par_request *send;
        par_error err;

        /* Late by about as long as the library takes to ask. */
        if ((n + me) % 3 == 0)
            usleep(100000 + 200 * (unsigned)n);
        out[0] = n;
        ck_ok(par_send_start(world, out, count, PAR_INT64, right(), 320, &send));
        do
            err = par_receive(world, in, SIZE, PAR_INT64, left(), 320, NULL);
        while (err == PAR_ERR_INTERRUPTED);
        ck_ok(err);
        ck_assert_int_eq(in[0], n);
        do
            err = par_wait(&send, NULL);
        while (err == PAR_ERR_INTERRUPTED);
        ck_ok(err);
    }
    clear_hooks();
    free(out);
    free(in);
}
END_TEST

static const par_content object = {.kind = PAR_OBJECT};

START_TEST(an_interrupted_send_goes_on)
{
    enum { SIZE = 300000 };
    unsigned char *out = check_alloc(SIZE), *in = check_alloc(SIZE);
    const par_part parts[] = {{out, 1000}, {out + 1000, SIZE - 1000}};
    const par_part places[] = {{in, 1000}, {in + 1000, SIZE - 1000}};
    par_request *rest = NULL;
    par_message *message;

    check_fill(out, SIZE, (uint64_t)me);
    set_hooks(true);
    ck_fails(PAR_ERR_INTERRUPTED,
             par_message_send(world, &object, parts, 2, right(), 340, &rest));
    clear_hooks();
    ck_assert_ptr_nonnull(rest);
    ck_ok(par_barrier(world)); /* nobody receives before all are interrupted */
    ck_ok(par_message_receive(world, left(), 340, &message));
    ck_ok(par_message_take(&message, places, 2));
    ck_ok(par_wait(&rest, NULL));
    ck_assert(check_is_filled(in, SIZE, (uint64_t)left()));
    free(out);
    free(in);
}
END_TEST

START_TEST(a_send_that_is_not_interrupted_leaves_nothing)
{
    par_request *rest = NULL;
    par_message *message;

    ck_ok(par_message_send(world, &object, NULL, 0, right(), 350, &rest));
    ck_assert_ptr_null(rest);
    ck_ok(par_message_receive(world, left(), 350, &message));
    ck_ok(par_message_free(&message));
}
END_TEST

static void on_signal(int number)
{
    (void)number;
}

static void *send_signal(void *thread)
{
    usleep(30000);
    ck_assert_int_eq(pthread_kill(*(pthread_t *)thread, SIGUSR1), 0);
    return NULL;
}

/* How long a wait is that a signal meets in its first 100 ms. */
static double wait_for_a_signal(void)
{
    double start_time = par_time();
    pthread_t self = pthread_self(), sender;
    par_status status;

    set_hooks(true);
    sender = start(send_signal, &self);
    ck_fails(PAR_ERR_INTERRUPTED, par_probe(world, left(), 330, &status));
    join(sender);
    clear_hooks();
    return par_time() - start_time;
}

/* Without a signal the hook is not asked in the first 100 ms. A signal may come
 * between two sleeps, or late, on a busy machine: but not every time. */
START_TEST(a_signal_ends_a_wait_at_once)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    int turns = 0;

    sigaction(SIGUSR1, &action, &before);
    while (wait_for_a_signal() >= 0.1)
        ck_assert_int_lt(++turns, 50);
    sigaction(SIGUSR1, &before, NULL);
}
END_TEST

/* ---- CPU ------------------------------------------------------------------- */

/* What a sanitizer adds to each look at the inbox is not the library's. */
#if !defined(__SANITIZE_ADDRESS__)
static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* What a rank uses of its core while it waits for two seconds. */
static double share_of_a_wait(void)
{
    double start_time, used;

    ck_ok(par_barrier(world));
    start_time = par_time();
    used = cpu_seconds();
    if (me == ranks - 1)
        sleep(2);
    if (ranks > 1)
        ck_ok(par_barrier(world));
    else
        wait_for_nothing(2);
    used = cpu_seconds() - used;
    ck_assert_double_ge(par_time() - start_time, 2);
    return used / (par_time() - start_time);
}

/* What sleeps as long as a wait's use by themselves: the kernel's timers are dear on some
 * virtual machines, 4 % of a core by that alone. */
static double share_of_sleeps(void)
{
    const double start_time = par_time(), used = cpu_seconds();
    double now;

    do {
        nanosleep(&(struct timespec){.tv_nsec = 800 * 1000}, NULL);
        now = par_time();
    } while (now < start_time + 1);
    return (cpu_seconds() - used) / (now - start_time);
}

/* A share of the time, not a time; and once of ten: neighbours take caches away. All
 * ranks take as many turns, for the barriers in them. */
START_TEST(a_waiting_rank_uses_little_of_its_core)
{
    bool little = false, all = false;

    for (int turns = 0; !all && turns < 10; turns++) {
        double most = fmax(0.05, 1.75 * share_of_sleeps());

        little = share_of_a_wait() < most || little;
        ck_ok(par_allreduce(world, &little, &all, 1, PAR_BOOL, PAR_LAND));
    }
    ck_assert(little);
}
END_TEST
#endif

static void share_cpus(double cpus)
{
    lock_take();
    wait_share_cpus(cpus);
    lock_give();
}

/* How often this thread falls asleep in a wait of a second where it has so many CPUs. */
static long sleeps_of_a_wait(double cpus)
{
    struct rusage before, after;

    share_cpus(cpus);
    getrusage(RUSAGE_THREAD, &before);
    wait_for_nothing(1);
    getrusage(RUSAGE_THREAD, &after);
    share_cpus(0.5);
    return after.ru_nvcsw - before.ru_nvcsw;
}

/* A busy machine makes it less often. */
START_TEST(very_many_ranks_on_a_cpu_sleep_longer)
{
    ck_assert_int_lt(sleeps_of_a_wait(1. / 64), 1000 / 6.4 + 200);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, threads_of_a_rank_send_and_receive_at_the_same_time);
    check_add(suite, a_waiting_thread_does_not_keep_others_from_the_library);
    check_add(suite, no_message_goes_to_two_threads_or_to_none);
    check_add(suite, a_receive_can_be_called_back_while_a_thread_waits_for_it);
    check_add(suite, a_long_wait_releases_and_asks_in_between);
    check_add(suite, what_does_not_wait_calls_no_hook);
    check_add(suite, hooks_may_be_missing);
    check_add(suite, hooks_that_were_taken_away_are_asked_nothing);
    check_add(suite, an_interrupted_wait_ends_and_its_message_comes_later);
    check_add(suite, a_receive_that_was_interrupted_takes_no_message);
    check_add(suite, interruptions_lose_no_message);
    check_add_from(suite, 2, an_interrupted_send_goes_on);
    check_add(suite, a_send_that_is_not_interrupted_leaves_nothing);
    check_add(suite, a_signal_ends_a_wait_at_once);
    check_add(suite, very_many_ranks_on_a_cpu_sleep_longer);
#if !defined(__SANITIZE_ADDRESS__)
    check_add(suite, a_waiting_rank_uses_little_of_its_core);
#endif
}

const check_program program = {.name = "wait", .add = add};
