#ifndef DOME_DOME_H
#define DOME_DOME_H
#endif
