/**
 * How the benchmark's gateway answers a status: with one write, with two (the header and then the body, as the real
 * gateway does), with one and a push a little later, or by restarting.
 */
export type Mode = "whole" | "split" | "push" | "restart";
