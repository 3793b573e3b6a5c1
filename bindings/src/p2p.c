/* p2p.c - send and receive.
 * SPDX-License-Identifier: MIT */
#include "arguments.h"
#include "codec.h"
#include "comm.h"
#include "errors.h"
#include "orphan.h"
#include "status.h"

PyObject *p2p_send(core_state *state, par_comm *par, PyObject *object, PyObject *dest,
                   PyObject *tag)
{
    codec_out out;
    int to, under, failed;
    par_request *left = NULL;
    par_error err;

    if (arguments_int(state, dest, "destination", 0, &to) < 0 ||
        arguments_int(state, tag, "tag", COMM_DEFAULT_TAG, &under) < 0)
        return NULL;
    failed = codec_encode(state, object, &out);
    if (!failed) {
        err = par_message_send(par, &out.content, out.parts, out.part_count, to, under,
                               &left);
        if (err) {
            errors_raise(state, err);
            failed = -1;
        }
        if (left)
            orphan_leave(state, left, &out);
    }
    codec_release(&out);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* The object in *MESSAGE_P, with STATUS where that is not NULL, which is stolen. */
static PyObject *finish(core_state *state, par_message **message_p, PyObject *buffer,
                        bool vanilla, PyObject *status)
{
    PyObject *object = codec_decode_for(state, message_p, buffer, false, vanilla), *pair;

    if (!status || !object) {
        Py_XDECREF(status);
        return object;
    }
    pair = PyTuple_Pack(2, object, status);
    Py_DECREF(object);
    Py_DECREF(status);
    return pair;
}

PyObject *p2p_receive(core_state *state, par_comm *par, PyObject *source, PyObject *tag,
                      PyObject *buffer, PyObject *vanilla, PyObject *return_status)
{
    int from, under, with_status = return_status ? PyObject_IsTrue(return_status) : 0;
    int is_vanilla = 0;
    par_message *message;
    PyObject *status = NULL, *result = NULL;
    par_error err;

    if (with_status < 0 || (vanilla && (is_vanilla = PyObject_IsTrue(vanilla)) < 0) ||
        arguments_int(state, source, "source", PAR_ANY_SOURCE, &from) < 0 ||
        arguments_int(state, tag, "tag", COMM_DEFAULT_TAG, &under) < 0)
        return NULL;
    err = par_message_receive(par, from, under, &message);
    if (err)
        return errors_raise(state, err);
    if (!with_status || (status = status_of_message(state, message)))
        result = finish(state, &message, buffer, is_vanilla, status);
    par_message_return(&message); /* of one that could not be taken: it is not lost */
    return result;
}

PyObject *p2p_probe(core_state *state, par_comm *par, PyObject *source, PyObject *tag,
                    bool wait)
{
    int from, under;
    par_status status;
    bool found = true;
    par_error err;

    if (arguments_int(state, source, "source", PAR_ANY_SOURCE, &from) < 0 ||
        arguments_int(state, tag, "tag", COMM_DEFAULT_TAG, &under) < 0)
        return NULL;
    err = wait ? par_probe(par, from, under, &status)
               : par_probe_now(par, from, under, &status, &found);
    if (err)
        return errors_raise(state, err);
    return found ? status_of(state, &status) : Py_NewRef(Py_None);
}
