/* process.h - what the system knows of a process.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_PROCESS_H
#define PAR_SRC_PROCESS_H

#include <stdbool.h>

/* Whether process PID is not there any more, or only for its launcher to hear of. */
bool process_has_ended(int pid);

/* The state of process PID, a letter as proc(5) has it: that of its main thread, unless
 * another one runs; '?' where there is no such process. */
char process_state(int pid);

#endif
