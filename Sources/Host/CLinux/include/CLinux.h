#ifndef DOME_CLINUX_H
#define DOME_CLINUX_H
#endif
