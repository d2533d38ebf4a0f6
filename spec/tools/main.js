import { lightsItsLamp } from "./lamp.js";

await lightsItsLamp();
console.log("the lamp is lit");
