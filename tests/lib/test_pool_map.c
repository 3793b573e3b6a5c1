/* test_pool_map.c - from a number to the thing that has it.
 * SPDX-License-Identifier: MIT */
#include "check_par.h"
#include "pool_map.h"

enum { NUMBERS = 5000 };

static char things[NUMBERS + 1];

/* Against a list of which numbers there are: they come and go at random. */
START_TEST(what_is_added_is_found_until_it_is_removed)
{
    pool_map map = {NULL, 0, 0};
    bool there[NUMBERS + 1] = {false};
    uint64_t state = (uint64_t)_i;
    size_t count = 0;

    ck_assert_ptr_null(pool_map_find(&map, 1));
    ck_assert_ptr_null(pool_map_remove(&map, 1));
    ck_assert_ptr_null(pool_map_any(&map));
    for (int i = 0; i < 20 * NUMBERS; i++) {
        /* at first mostly few, then all */
        uint64_t number = 1 + check_next(&state) % (i < NUMBERS ? 20 : NUMBERS);
        uint64_t key = number << (_i * 20);

        ck_assert_ptr_eq(pool_map_find(&map, key),
                         there[number] ? things + number : NULL);
        if (there[number]) {
            ck_assert_ptr_eq(pool_map_remove(&map, key), things + number);
            count--;
        } else {
            ck_assert(pool_map_add(&map, key, things + number));
            count++;
        }
        there[number] = !there[number];
        ck_assert_uint_eq(map.count, count);
    }
    for (uint64_t number = 1; number <= NUMBERS; number++)
        ck_assert_ptr_eq(pool_map_find(&map, number << (_i * 20)),
                         there[number] ? things + number : NULL);
    for (char *thing; (thing = pool_map_any(&map)); count--)
        ck_assert_ptr_eq(pool_map_remove(&map, (uint64_t)(thing - things) << (_i * 20)),
                         thing);
    ck_assert_uint_eq(count, 0);
    pool_map_free(&map);
}
END_TEST

static void add(Suite *suite)
{
    check_add_each(suite, 3, what_is_added_is_found_until_it_is_removed);
}

const check_program program = {.name = "pool_map", .add = add, .alone = true};
