/* crash.h - which rank has crashed, and where.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_CRASH_H
#define PAR_SRC_CRASH_H

/* From now on a signal that ends this rank because of a mistake in the program says so
 * before it does. Handlers that others have set stay. */
void crash_watch(void);

#endif
