/* test_move.c - places, chosen anew while the job runs.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* CPU sets */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "affinity.h"
#include "check_par.h"
#include "node.h"

/* What this rank was started on. */
static mask started;

static __attribute__((constructor)) void look_before_par_does(void)
{
    started = affinity_of(0);
}

/* Every test ends where it began. */
static place begun;

static void begin(void)
{
    begun = node_place();
}

static void end(void)
{
    place now;

    unsetenv("PAR_BIND");
    unsetenv("PAR_THREADS_PER_RANK");
    ck_ok(par_place(world, NULL, 0));
    now = node_place();
    ck_assert(mask_equal(&now.mask, &begun.mask));
    ck_assert_str_eq(now.why, begun.why);
    ck_assert_int_eq(now.bound, begun.bound);
    ck_assert_int_eq(now.cpus, begun.cpus);
}

static void check_is_on(const mask *expected)
{
    mask now = affinity_of(0);
    place p = node_place();
    char text[2][64];

    mask_text(expected, text[0], sizeof text[0]);
    mask_text(&now, text[1], sizeof text[1]);
    ck_assert_str_eq(text[1], text[0]);
    mask_text(&p.mask, text[1], sizeof text[1]);
    ck_assert_str_eq(text[1], text[0]);
}

static void check_has_not_moved(void)
{
    place now = node_place();

    check_is_on(&begun.mask);
    ck_assert_str_eq(now.why, begun.why);
}

/* The CPUs that par may give away, one after the other, over and over. */
static int nth_cpu(int n)
{
    mask allowed = machine_allowed(node_machine());
    int cpu = -1;

    for (n %= mask_count(&allowed); n >= 0; n--)
        cpu = mask_next(&allowed, cpu);
    return cpu;
}

/* "0:1:0": a CPU for each rank, the first SHIFT further on. */
static char *list(int shift)
{
    static char text[256];
    size_t used = 0;

    for (int rank = 0; rank < ranks; rank++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d", rank ? ":" : "",
                                 nth_cpu(rank + shift));
    return text;
}

static mask one_cpu(int shift)
{
    mask m = {{0}};

    mask_add(&m, nth_cpu(me + shift));
    return m;
}

/* ---- where they go -------------------------------------------------------- */

START_TEST(each_rank_goes_where_it_is_told_as_often_as_it_is_told)
{
    begin();
    for (int shift = 0; shift < 5; shift++) {
        mask expected = one_cpu(shift);

        ck_ok(par_place(world, list(shift), 0));
        check_is_on(&expected);
        ck_assert_int_eq(par_cpus(), 1);
    }
    end();
}
END_TEST

START_TEST(none_is_what_the_rank_was_started_on)
{
    begin();
    for (int shift = 0; shift < 2; shift++) {
        ck_ok(par_place(world, list(shift), 0));
        ck_ok(par_place(world, "none", 0));
        check_is_on(&started);
        ck_assert_int_eq(node_place().bound, 0);
        ck_assert_str_eq(node_place().why, "none: as it was started");
    }
    end();
}
END_TEST

START_TEST(each_policy_gives_what_it_would_have_given_at_the_start)
{
    static const char *const policies[] = {"auto",    "core",    "hwthread", "l3",
                                           "package", "compact", "scatter"};
    enum { POLICIES = sizeof policies / sizeof *policies };
    mask first[POLICIES];

    begin();
    for (int i = 0; i < POLICIES; i++) { /* from where the rank is now ... */
        ck_ok(par_place(world, policies[i], 0));
        ck_assert_ptr_nonnull(strstr(node_place().why, policies[i]));
        first[i] = node_place().mask;
        check_is_on(&first[i]);
    }
    for (int i = POLICIES - 1; i >= 0; i--) { /* and the same from elsewhere */
        ck_ok(par_place(world, list(i), 0));
        ck_ok(par_place(world, policies[i], 0));
        check_is_on(&first[i]);
    }
    end();
}
END_TEST

START_TEST(a_number_of_threads_is_followed_and_forgotten)
{
    int cpus;

    begin();
    ck_ok(par_place(world, "auto", 0));
    cpus = par_cpus();
    ck_ok(par_place(world, "auto", 1));
    ck_assert_int_eq(par_cpus(), 1);
    ck_ok(par_place(world, "auto", 0));
    ck_assert_int_eq(par_cpus(), cpus);
    end();
}
END_TEST

START_TEST(the_environment_has_the_last_word)
{
    mask expected = one_cpu(1);

    begin();
    ck_assert_int_eq(setenv("PAR_BIND", list(1), 1), 0);
    ck_ok(par_place(world, "none", 0));
    check_is_on(&expected);
    ck_assert_int_eq(setenv("PAR_THREADS_PER_RANK", "1", 1), 0);
    ck_assert_int_eq(setenv("PAR_BIND", "none", 1), 0);
    ck_ok(par_place(world, "core", 5));
    check_is_on(&started);
    ck_assert_int_eq(par_cpus(), 1);
    end();
}
END_TEST

/* ---- threads ---------------------------------------------------------------- */

typedef struct sitter {
    pthread_t thread;
    sem_t sits, may_go;
    mask apart; /* where it puts itself first, unless that is empty */
    mask seen;  /* where it was in the end */
} sitter;

static void *sit(void *argument)
{
    sitter *s = argument;
    mask now = affinity_of(0);

    if (mask_count(&s->apart))
        affinity_set(&now, &s->apart);
    sem_post(&s->sits);
    sem_wait(&s->may_go);
    s->seen = affinity_of(0);
    return NULL;
}

static void sit_down(sitter *s)
{
    sem_init(&s->sits, 0, 0);
    sem_init(&s->may_go, 0, 0);
    ck_assert_int_eq(pthread_create(&s->thread, NULL, sit, s), 0);
    sem_wait(&s->sits);
}

static void stand_up(sitter *s)
{
    sem_post(&s->may_go);
    ck_assert_int_eq(pthread_join(s->thread, NULL), 0);
}

START_TEST(threads_that_are_there_already_follow)
{
    sitter early = {0}, late = {0};
    mask expected = one_cpu(1);

    begin();
    sit_down(&early);
    ck_ok(par_place(world, list(0), 0));
    sit_down(&late);
    ck_ok(par_place(world, list(1), 0));
    stand_up(&early);
    stand_up(&late);
    ck_assert(mask_equal(&early.seen, &expected));
    ck_assert(mask_equal(&late.seen, &expected));
    end();
}
END_TEST

START_TEST(threads_that_somebody_has_placed_apart_stay)
{
    sitter s = {.apart = one_cpu(0)};

    begin();
    ck_ok(par_place(world, "none", 0));
    if (mask_count(&started) > 1) { /* else there is no apart */
        sit_down(&s);
        ck_ok(par_place(world, list(1), 0));
        stand_up(&s);
        ck_assert(mask_equal(&s.seen, &s.apart));
    }
    end();
}
END_TEST

static void *place_the_rank(void *unused)
{
    (void)unused;
    ck_ok(par_place(world, list(1), 0));
    return NULL;
}

START_TEST(any_thread_may_call_and_the_whole_rank_moves)
{
    mask expected = one_cpu(1);
    pthread_t thread;

    begin();
    ck_assert_int_eq(pthread_create(&thread, NULL, place_the_rank, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    check_is_on(&expected);
    end();
}
END_TEST

static atomic_bool all_have_moved;

static void *ask_all_the_time(void *unused)
{
    (void)unused;
    while (!all_have_moved) {
        ck_assert_int_ge(par_cpus(), 1);
        sched_yield();
    }
    return NULL;
}

START_TEST(other_threads_may_ask_meanwhile)
{
    pthread_t thread;

    begin();
    all_have_moved = false;
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_all_the_time, NULL), 0);
    for (int shift = 0; shift < 30; shift++)
        ck_ok(par_place(world, list(shift), 0));
    all_have_moved = true;
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    end();
}
END_TEST

/* ---- what is refused --------------------------------------------------------- */

START_TEST(what_makes_no_sense_is_refused_and_nobody_moves)
{
    static const struct {
        const char *bind;
        int threads;
        const char *words;
    } wrong[] = {
        {"socket", 0, "bind is \"socket\": it must be auto, none, core"},
        {"", 0, "bind is \"\""},
        {"none", -1, "threads_per_rank is -1: it must be from 0 to 8192"},
        {"none", 8193, "threads_per_rank is 8193"},
        {"8000:8000:8000:8000", 0, "no CPU 8000"},
    };

    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_fails(PAR_ERR_ARG, par_place(world, wrong[i].bind, wrong[i].threads));
        ck_detail(wrong[i].words);
        check_has_not_moved();
    }
    if (ranks > 1) {
        ck_fails(PAR_ERR_ARG, par_place(world, "0", 0));
        ck_detail("CPUs for 1 rank");
        check_has_not_moved();
    }
    end();
}
END_TEST

START_TEST(what_makes_no_sense_on_one_rank_fails_on_all)
{
    begin();
    for (int odd = 0; odd < ranks; odd++) {
        par_error err = par_place(world, me == odd ? "socket" : "none", 0);

        ck_fails(me == odd ? PAR_ERR_ARG : PAR_ERR_MISMATCH, err);
        ck_detail("bind is \"socket\"");
        check_has_not_moved();
    }
    end();
}
END_TEST

START_TEST(ranks_that_ask_for_different_things_are_named)
{
    begin();
    ck_fails(PAR_ERR_MISMATCH, par_place(world, me ? "core" : NULL, 0));
    ck_detail("PAR_BIND or bind differs between ranks: nothing on 0, core on 1");
    check_has_not_moved();
    ck_fails(PAR_ERR_MISMATCH, par_place(world, "core", me == ranks - 1 ? 2 : 3));
    ck_detail(ranks == 2 ? "threads per rank differs between ranks: 3 on 0, 2 on 1"
                         : "threads per rank differs between ranks: 3 on 0-");
    check_has_not_moved();
    end();
}
END_TEST

START_TEST(a_rank_that_makes_another_call_is_noticed_by_all)
{
    begin();
    for (int odd = 0; odd < ranks; odd++) {
        ck_fails(PAR_ERR_MISMATCH,
                 me == odd ? par_barrier(world) : par_place(world, "none", 0));
        ck_detail("place()");
        check_has_not_moved();
    }
    end();
}
END_TEST

START_TEST(other_communicators_are_refused)
{
    par_comm *copy;

    begin();
    ck_ok(par_duplicate(world, &copy));
    ck_fails(PAR_ERR_ARG, par_place(copy, "none", 0));
    ck_detail("it must be the communicator of all ranks that par_init gives");
    ck_fails(PAR_ERR_ARG, par_place(NULL, "none", 0));
    ck_ok(par_comm_free(&copy));
    check_has_not_moved();
    end();
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, each_rank_goes_where_it_is_told_as_often_as_it_is_told);
    check_add(suite, none_is_what_the_rank_was_started_on);
    check_add(suite, each_policy_gives_what_it_would_have_given_at_the_start);
    check_add(suite, a_number_of_threads_is_followed_and_forgotten);
    check_add(suite, the_environment_has_the_last_word);
    check_add(suite, threads_that_are_there_already_follow);
    check_add(suite, threads_that_somebody_has_placed_apart_stay);
    check_add(suite, any_thread_may_call_and_the_whole_rank_moves);
    check_add(suite, other_threads_may_ask_meanwhile);
    check_add(suite, what_makes_no_sense_is_refused_and_nobody_moves);
    check_add_from(suite, 2, what_makes_no_sense_on_one_rank_fails_on_all);
    check_add_from(suite, 2, ranks_that_ask_for_different_things_are_named);
    check_add_from(suite, 2, a_rank_that_makes_another_call_is_noticed_by_all);
    check_add(suite, other_communicators_are_refused);
}

const check_program program = {.name = "move", .add = add};
