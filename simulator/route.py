"""Position of a truck at any time: a real road and the drivers' hours.

>>> round(length(WROCLAW_TO_PARIS))
1166
>>> hours = driving_schedule(length(WROCLAW_TO_PARIS) / AVERAGE_SPEED)
>>> [(leg.start, leg.end) for leg in hours][:2]
[(0.0, 4.5), (5.25, 9.75)]

The road is the A4 and the motorways that continue it, from Wrocław to Marne-la-Vallée east of Paris. Between
way points a truck moves on the great circle, which is some percent shorter than the road; the average
speed is chosen so that the duration of the trip is realistic.

Drivers' hours: Regulation (EC) No 561/2006, article 6 (nine hours of driving a day), article 7 (45 minutes
of break after four and a half hours) and article 8 (eleven hours of daily rest). One driver per truck.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS: Final = 6371.0088
"""Mean radius of the earth, km (IUGG)."""

AVERAGE_SPEED: Final = 68.0
"""Great-circle kilometres per hour while driving."""

DRIVE_BEFORE_BREAK: Final = 4.5
BREAK: Final = 0.75
DRIVE_PER_DAY: Final = 9.0
DAILY_REST: Final = 11.0


@dataclass(frozen=True, slots=True)
class WayPoint:
    """A place on the road: degrees north and east, WGS 84."""

    name: str
    latitude: float
    longitude: float


WROCLAW_TO_PARIS: Final = (
    WayPoint("Wrocław-Bielany, A4", 51.036, 16.965),
    WayPoint("Legnica, A4", 51.170, 16.170),
    WayPoint("Bolesławiec, A4", 51.240, 15.570),
    WayPoint("Jędrzychowice, border, A4", 51.190, 15.020),
    WayPoint("Bautzen, A4", 51.205, 14.430),
    WayPoint("Dresden, A4", 51.090, 13.680),
    WayPoint("Chemnitz, A4", 50.870, 12.910),
    WayPoint("Gera, A4", 50.905, 12.080),
    WayPoint("Jena, A4", 50.885, 11.600),
    WayPoint("Erfurt, A4", 50.930, 11.030),
    WayPoint("Eisenach, A4", 51.010, 10.330),
    WayPoint("Bad Hersfeld, A4", 50.880, 9.740),
    WayPoint("Alsfeld, A5", 50.755, 9.270),
    WayPoint("Gießen, A5", 50.590, 8.760),
    WayPoint("Frankfurt am Main, A5", 50.050, 8.590),
    WayPoint("Darmstadt, A67", 49.870, 8.600),
    WayPoint("Viernheim, A6", 49.540, 8.560),
    WayPoint("Kaiserslautern, A6", 49.465, 7.760),
    WayPoint("Saarbrücken, A6", 49.220, 7.020),
    WayPoint("Metz, A4", 49.110, 6.230),
    WayPoint("Verdun, A4", 49.100, 5.430),
    WayPoint("Châlons-en-Champagne, A4", 48.990, 4.400),
    WayPoint("Reims, A4", 49.220, 4.020),
    WayPoint("Château-Thierry, A4", 49.070, 3.420),
    WayPoint("Marne-la-Vallée, A4", 48.840, 2.720),
)


@dataclass(frozen=True, slots=True)
class DrivingLeg:
    """Driving without a stop, in hours from the departure."""

    start: float
    end: float


def distance(a: WayPoint, b: WayPoint) -> float:
    """Great-circle distance between two places in km (haversine)."""
    lat_a, lat_b = math.radians(a.latitude), math.radians(b.latitude)
    half_lat = (lat_b - lat_a) / 2.0
    half_lon = math.radians(b.longitude - a.longitude) / 2.0
    h = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2.0 * EARTH_RADIUS * math.asin(math.sqrt(h))


def length(route: tuple[WayPoint, ...]) -> float:
    """Length of a route in km."""
    return sum(distance(a, b) for a, b in pairwise(route))


def driving_schedule(hours: float) -> tuple[DrivingLeg, ...]:
    """``hours`` of driving in legs, with the breaks and the daily rest that the law requires between them."""
    legs: list[DrivingLeg] = []
    clock, today, left = 0.0, 0.0, hours
    while left > 0.0:
        drive = min(left, DRIVE_BEFORE_BREAK, DRIVE_PER_DAY - today)
        legs.append(DrivingLeg(clock, clock + drive))
        clock, today, left = clock + drive, today + drive, left - drive
        if today >= DRIVE_PER_DAY:
            clock, today = clock + DAILY_REST, 0.0
        else:
            clock += BREAK
    return tuple(legs)


def driven_hours(schedule: tuple[DrivingLeg, ...], elapsed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hours of driving until ``elapsed`` hours after the departure (any shape)."""
    done = np.zeros_like(elapsed)
    for leg in schedule:
        done += np.clip(elapsed, leg.start, leg.end) - leg.start
    return done


def is_driving(schedule: tuple[DrivingLeg, ...], elapsed: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mask of the times, ``elapsed`` hours after the departure (any shape), at which the truck is moving."""
    moving = np.zeros(elapsed.shape, dtype=np.bool_)
    for leg in schedule:
        moving |= (elapsed > leg.start) & (elapsed <= leg.end)
    return moving


def positions(route: tuple[WayPoint, ...], travelled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Latitude and longitude after ``travelled`` km, on the great circle between way points.

    ``travelled`` has shape (n,), the result (n, 2) in degrees. Before the start and after the end the truck
    is at the first or the last way point.
    """
    vectors = np.array([_unit_vector(point) for point in route])
    legs = np.array([distance(a, b) for a, b in pairwise(route)])
    marks = np.concatenate(([0.0], np.cumsum(legs)))
    along = np.clip(travelled, 0.0, marks[-1])
    leg = np.clip(np.searchsorted(marks, along, side="right") - 1, 0, len(legs) - 1)
    angle = legs[leg] / EARTH_RADIUS
    share = (along - marks[leg]) / legs[leg]
    # slerp: equal steps in time are equal distances on the ground
    start = np.sin((1.0 - share) * angle)[:, None] * vectors[leg]
    end = np.sin(share * angle)[:, None] * vectors[leg + 1]
    x, y, z = ((start + end) / np.sin(angle)[:, None]).T
    degrees: NDArray[np.float64] = np.degrees(np.stack((np.arcsin(np.clip(z, -1.0, 1.0)), np.arctan2(y, x)), axis=1))
    return degrees


def _unit_vector(point: WayPoint) -> tuple[float, float, float]:
    lat, lon = math.radians(point.latitude), math.radians(point.longitude)
    return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
