/* vector.h - parts of differing length, one for each rank.
 * SPDX-License-Identifier: MIT
 *
 * Sender and receiver each say how long a part is. The message's own length is the
 * sender's word, and the receiver compares: so no rank needs to know another's list.
 */
#ifndef PAR_SRC_VECTOR_H
#define PAR_SRC_VECTOR_H

#include "collective.h"

/* Make *PARTS_P, to be freed by the caller, of where each rank's part lies in DATA:
 * COUNTS elements of TYPE from DISPLS on, or one behind the other where DISPLS is NULL.
 */
par_error vector_parts(const par_comm *comm, const void *data, const size_t *counts,
                       const size_t *displs, par_type type, par_part **parts_p);

/* The same for parts that will be written, which must not overlap. */
par_error vector_room(const par_comm *comm, void *data, const size_t *counts,
                      const size_t *displs, par_type type, par_part **parts_p);

/* Copy FROM, this rank's own part, to TO, which must be as long: otherwise
 * PAR_ERR_MISMATCH. */
par_error vector_keep(const collective *c, const par_part *from, const par_part *to);

#endif
