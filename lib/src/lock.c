/* lock.c - the one mutex of the library.
 * SPDX-License-Identifier: MIT */
#include "lock.h"

pthread_mutex_t lock_mutex = PTHREAD_MUTEX_INITIALIZER;
