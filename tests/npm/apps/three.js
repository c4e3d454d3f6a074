import { BoxGeometry, Color, Matrix4, Mesh, MeshBasicMaterial, PerspectiveCamera, Raycaster, Scene, Vector3 } from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { equal, done } from './check';

export function init() {
  const scene = new Scene();
  const cube = new Mesh(new BoxGeometry(1, 1, 1), new MeshBasicMaterial({ color: 0xff8000 }));
  scene.add(cube);
  const camera = new PerspectiveCamera(50, 1, 0.1, 100);
  camera.position.z = 5;
  camera.updateMatrixWorld();
  scene.updateMatrixWorld();
  const hits = new Raycaster(camera.position, new Vector3(0, 0, -1)).intersectObject(cube);
  equal(hits[0].distance, 4.5);
  equal(new Color('tomato').getHexString(), 'ff6347');
  equal(new Vector3(1, 0, 0).applyMatrix4(new Matrix4().makeTranslation(1, 2, 3)).toArray(), [2, 2, 3]);
  const controls = new OrbitControls(camera, document.body);
  equal(controls.getDistance(), 5);
  equal(scene.toJSON().geometries[0].type, 'BoxGeometry');
  done();
}
