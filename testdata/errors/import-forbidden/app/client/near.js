
import '../../tools/x';
