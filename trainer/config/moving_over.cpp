// A table. Names are written with hyphens: an underscore in what was given counts as one.
#include "trainer/config/moving_over.h"

namespace facemae {
namespace {

constexpr ForeignOption kMae[] = {
    {"batch-size", "--batch, the images of a step over all ranks: batch_size x GPUs x accum_iter"},
    {"accum-iter", "--accumulate; --batch counts the images of all its parts"},
    {"blr", "--base-lr, the peak rate per 256 images of --batch"},
    {"min-lr", "not needed: --schedule cosine falls to zero"},
    {"norm-pix-loss", "--normalise-patches, for comparisons; such a model cannot make a release"},
    {"input-size", "`facemae pack --image-size`: a store has images of one size, and the model follows it"},
    {"data-path", "--store, a folder that `facemae pack` makes of the images"},
    {"output-dir", "--run"},
    {"grad-checkpointing use-checkpoint gradient-checkpointing", "--activation-checkpointing"},
    {"eval", "`facemae show`, or `facemae reconstruct` and `facemae audit`"},
    {"log-dir", "--run: metrics.jsonl and TensorBoard's files are in it"},
};

constexpr ForeignOption kArcFace[] = {
    {"batch-size", "--batch, the images of a step over all ranks: batch_size x GPUs x gradient_acc"},
    {"per-batch-size", "--batch, the images of a step over all ranks"},
    {"gradient-acc", "--accumulate; --batch counts the images of all its parts"},
    {"num-epoch end-epoch", "--epochs"},
    {"warmup-epoch", "--warmup-epochs"},
    {"margin-list margins",
     "--margin arcface --margin-m 0.5 for (1.0, 0.5, 0.0), --margin cosface --margin-m 0.4 for (1.0, 0.0, 0.4). Beware of a list with "
     "both, (m1, m2, m3): there it trains cosface with m3, and m1 and m2 are ignored; here --margin combined does what it says"},
    {"loss head", "--margin"},
    {"margin-s s", "--scale"},
    {"m", "--margin-m"},
    {"embedding-size emb-size", "--embedding"},
    {"interclass-filtering-threshold", "--class-filter; leave it out for 0"},
    {"rec data-dir root-dir", "--store, which `facemae pack --from rec --in train.rec` makes"},
    {"num-classes num-image num-images", "not needed: the store knows how many it has"},
    {"val-targets", "--eval lfw.bin cfp_fp.bin agedb_30.bin: the files themselves"},
    {"frequent", "--log-every"},
    {"verbose val-frequent", "--eval-every"},
    {"dali dali-aug", "not needed: --workers threads decode; --augment adaface changes the images"},
    {"output models-root ckpt-path", "--run"},
    {"backbone", "--network, which knows arcface_torch's names"},
    {"using-checkpoint", "--activation-checkpointing"},
    {"bgr", "not needed: stores are RGB; `facemae import --bgr` is for weights that others trained on BGR"},
    {"save-all-states", "not needed: every checkpoint has all states of all ranks"},
    {"save-onnx", "`facemae export --to onnx`, of the run or any of its checkpoints"},
    {"using-wandb wandb-key wandb-entity wandb-project wandb-log-all wandb-resume suffix-run-name notes save-artifacts",
     "not in this version: --run has metrics.jsonl and TensorBoard's files"},
};

constexpr ForeignOption kAdaFace[] = {
    {"arch", "--network, which knows the names ir_18 to ir_101"},
    {"h", "--margin-h"},
    {"t-alpha", "not needed: it is 0.01, as there"},
    {"lr-milestones", "--schedule multistep with --milestones, blanks between the epochs"},
    {"lr-gamma", "--gamma"},
    {"crop-augmentation-prob", "--augment adaface with --crop-probability"},
    {"low-res-augmentation-prob", "--augment adaface with --low-resolution-probability"},
    {"photometric-augmentation-prob", "--augment adaface with --photometric-probability"},
    {"train-data-path", "--store, a folder that `facemae pack` makes of the images"},
    {"val-data-path", "--eval lfw.bin cfp_fp.bin agedb_30.bin: the files themselves"},
    {"use-mxrecord", "not needed: `facemae pack --from rec --in train.rec` makes the store"},
    {"train-data-subset", "`facemae store subset`, and the folder that it makes as --store"},
    {"swap-color-channel", "not needed: stores are RGB"},
    {"use-16bit", "--precision bfloat16"},
    {"custom-num-class", "not needed: the store knows how many it has"},
    {"start-from-model-statedict", "--init"},
    {"resume-from-checkpoint", "not needed: runs resume by themselves; give the same --run"},
    {"save-all-models", "--keep and --keep-every"},
    {"fast-dev-run test-run", "--dry-run, or --stop-after"},
    {"distributed-backend", "not needed: --backend chooses between MPI and NCCL by itself"},
    {"prefix", "--run"},
};

/// What MAE, arcface_torch, timm and torchvision have in common, and what starts them.
constexpr ForeignOption kPyTorch[] = {
    {"resume auto-resume start-epoch start-step no-resume-opt",
     "not needed: runs resume by themselves; give the same --run"},
    {"finetune pretrained weights initial-checkpoint init-weights pretrained-weights", "--init"},
    {"ckpt checkpoint", "--run to resume a run, --init to begin a new one with its weights"},
    {"eval-only evaluate test-only", "`facemae evaluate`"},
    {"num-workers j", "--workers, threads of each rank"},
    {"pin-mem no-pin-mem pin-memory persistent-workers prefetch-factor",
     "not needed: batches are prepared for the device as suits it"},
    {"channels-last",
     "only convolution networks gain by it: `facemae recognize --memory-format`, which by itself takes what is faster"},
    {"num-threads", "--threads"},
    {"world-size nproc-per-node nnodes num-gpu num-gpus gpus ngpu n-gpus num-nodes devices",
     "not needed: `mpirun -n RANKS facemae ...` says how many"},
    {"local-rank rank node-rank gpu gpu-id gpu-ids",
     "not needed: mpirun tells each rank, which takes a GPU of its host"},
    {"dist-url dist-on-itp dist-backend dist-eval master-addr master-port init-method distributed multiprocessing-distributed",
     "not needed: mpirun or srun connects the ranks; --backend chooses between MPI and NCCL"},
    {"sync-bn sync-batchnorm", "`facemae recognize --batch-norm sync`; FaceMAE has no batch norms"},
    {"drop-path-rate", "`facemae recognize --drop-path`, for its ViTs"},
    {"ddp fsdp deepspeed deepspeed-config strategy accelerator find-unused-parameters",
     "not needed: gradients are summed over all ranks; docs/ARCHITECTURE.md says how"},
    {"fp16 amp bf16 use-amp amp-dtype mixed-precision half", "--precision bfloat16"},
    {"tf32", "--precision tf32"},
    {"opt", "--optimizer"},
    {"opt-eps opt-betas adam-beta1", "--beta1 and --beta2"},
    {"adam-beta2", "--beta2"},
    {"learning-rate max-lr", "--lr"},
    {"wd", "--weight-decay"},
    {"mom", "--momentum"},
    {"sched lr-scheduler lr-schedule scheduler", "--schedule"},
    {"lr-warmup-epochs", "--warmup-epochs"},
    {"warmup-iters num-warmup-steps", "--warmup-steps"},
    {"warmup-lr lr-warmup-decay", "not needed: the rate climbs from zero"},
    {"decay-milestones lr-steps", "--schedule multistep with --milestones"},
    {"decay-epochs lr-step-size", "--schedule multistep with --milestones: 30 60 for every 30 of 90 epochs"},
    {"decay-rate lr-gamma", "--gamma"},
    {"norm-weight-decay bias-weight-decay", "--decay weights, with which neither norms nor biases decay"},
    {"clip-grad clip-norm max-norm clip-gradient grad-clip max-grad-norm gradient-clip-val", "--clip"},
    {"grad-accum-steps gradient-accumulation-steps grad-accumulation accumulate-grad-batches accum-steps",
     "--accumulate"},
    {"total-batch-size global-batch-size train-batch-size bs b",
     "--batch, the images of a step over all ranks"},
    {"num-epochs max-epochs n-epochs", "--epochs"},
    {"max-steps num-steps total-steps iters max-iter total-iters iterations", "--steps"},
    {"save-freq save-interval checkpoint-interval recovery-interval save-ckpt-freq save-steps checkpoint-freq",
     "--save-every, in steps"},
    {"checkpoint-hist save-total-limit keep-last", "--keep"},
    {"print-freq log-interval log-freq log-steps disp-freq", "--log-every, in steps"},
    {"img-size image-size crop-size resize", "`facemae pack --image-size`: a store has images of one size"},
    {"data dataset data-root dataset-path dataset-dir train-data imagenet-path",
     "--store, a folder that `facemae pack` makes of the images"},
    {"output save-dir work-dir experiment exp-name name logdir output-path save-path", "--run"},
    {"log-wandb wandb use-wandb tensorboard tensorboard-dir",
     "not needed: --run has metrics.jsonl and TensorBoard's files"},
    {"cudnn-benchmark torchcompile compile torchscript",
     "not needed: the same command gives the same numbers; --exact also on other numbers of ranks"},
    {"time-limit max-time walltime", "--max-hours or --end-time"},
    {"hflip horizontal-flip", "--flip"},
    {"debug", "--log-level debug"},
};

constexpr MovingOver kPretrain[] = {{"MAE, main_pretrain.py", kMae}, {"PyTorch programs, timm", kPyTorch}};
constexpr MovingOver kRecognize[] = {{"InsightFace, arcface_torch", kArcFace},
                                     {"AdaFace, main.py", kAdaFace},
                                     {"PyTorch programs, timm", kPyTorch}};

}  // namespace

std::span<const MovingOver> moving_to_pretrain() { return kPretrain; }
std::span<const MovingOver> moving_to_recognize() { return kRecognize; }

}  // namespace facemae
