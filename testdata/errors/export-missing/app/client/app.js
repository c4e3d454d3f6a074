import {
  showNavbar,
  hideNavBar,
} from './navbar';
import navbar from './navbar';
import nothing from './empty';
import { square, cube as third } from '/shared/math';
import * as math from '/shared/math';
import { Shape, area } from './shapes';
import common, { anything } from './common';

export const init = () => {
  showNavbar();
  navbar();
  nothing(third, area, Shape, common, anything);
  math.sqare(2);
  math['double'](2);
};
