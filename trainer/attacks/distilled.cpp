#include "trainer/attacks/distilled.h"

#include <torch/torch.h>

#include <numeric>

#include "core/checksum.h"
#include "core/error.h"
#include "core/log.h"
#include "model/common/state.h"
#include "trainer/apply/models.h"
#include "trainer/attacks/attacker_run.h"
#include "trainer/attacks/distil_task.h"
#include "trainer/attacks/lesson_pairs.h"
#include "trainer/attacks/look.h"
#include "trainer/attacks/picture_batch.h"
#include "trainer/attacks/recogniser.h"

namespace facemae {
namespace {

constexpr AttackTraining kDistillation{.steps = 600, .batch = 64, .lr = 1e-3};

class Distilled final : public Attacker {
 public:
  Distilled(const TrainedAttackerConfig& config, World& world) : config_(config), world_(world) {}

  AttackerFacts facts() const override {
    return {
        .id = "A6",
        .name = "embedder distilled from " + (config_.teacher.empty()
                                                  ? config_.network + " on the attacker's photos"
                                                  : Path(config_.teacher).filename().string()),
        .knows =
            "a release of other people, made in the same way, which of their photos went where, and a face embedder",
        .controls = "the mechanism: it was run on people of the attacker's own",
        .cost = "one training of a recognition network"};
  }
  bool learns() const override { return true; }

  void fit(const Lesson& lesson) override {
    auto [name, teacher] = teacher_for(lesson);
    of_teacher_ = {};
    of_student_ = {};
    const auto of_photos = embeddings_of(lesson.real.photos, *teacher, world_, of_teacher_);
    auto student = make_network(name, NetworkOptions::drawing_nothing(teacher->width()));
    load_state(*student, state_of(*teacher));
    student->to(world_.device());
    std::vector<std::string> settings = {"network = " + name, "teacher = " + weights_of(*teacher)};
    lay_out_for(world_.device(), name, *student, settings);
    std::vector<std::int64_t> rows(lesson.released.classes.size());
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    train_attacker(world_, {.folder = config_.folder,
                            .name = "A6",
                            .training = within(config_.budget, kDistillation),
                            .seed = config_.seed,
                            .settings = settings,
                            .pictures = lesson.released.pictures,
                            .labels = rows,
                            .side = kFaceSide,
                            .digest = digest_of(lesson),
                            .make_task = [&](const RunConfig& run) -> TrainingTask {
                              return {.task = std::make_unique<DistilTask>(
                                          student, of_photos, lesson, run, Parts::of_ranks(world_.batch()),
                                          precision_for(run.precision, world_.device()), world_.device())};
                            }});
    teacher_ = std::move(teacher);
    student_ = std::move(student);
  }

  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    if (!student_)
      throw Error("the distilled embedder (A6) looks at a release before it has learnt: call fit() first");
    return {.released = embeddings_of(released.pictures, *student_, world_, of_student_),
            .real = embeddings_of(real.photos, *teacher_, world_, of_teacher_)};
  }

  /// The student has seen released pictures alone: it is the teacher that must know people.
  double least_of_other_photos() const override { return kOtherPhotosOfEmbedders; }
  Evidence look_at_photos(const ReleasedFaces& photos, const RealFaces& real) override {
    if (!teacher_)
      throw Error("the distilled embedder (A6) looks at photos before it has learnt: call fit() first");
    return {.released = embeddings_of(photos.pictures, *teacher_, world_, of_teacher_),
            .real = embeddings_of(real.photos, *teacher_, world_, of_teacher_)};
  }

 private:
  using NamedNetwork = std::pair<std::string, std::shared_ptr<RecognitionNetwork>>;
  NamedNetwork teacher_for(const Lesson& lesson) {
    if (!config_.teacher.empty())
      return {network_name_of(read_weights(config_.teacher)), stored_recogniser(config_.teacher, world_)};
    const ReleasedFaces photos{.pictures = lesson.real.photos, .classes = lesson.real.people};
    return {config_.network, trained_recogniser("A6-teacher", photos.pictures, photos.classes,
                                                digest_of(photos), config_, world_)};
  }

  static std::string weights_of(RecognitionNetwork& network) {
    Hasher hasher;
    for (const auto& [name, tensor] : state_of(network)) {
      const auto host = tensor.detach().to(torch::kCPU).contiguous();
      hasher.add({static_cast<const std::byte*>(host.const_data_ptr()), host.nbytes()});
    }
    return hasher.digest().hex();
  }

  TrainedAttackerConfig config_;
  World& world_;
  std::shared_ptr<RecognitionNetwork> teacher_, student_;
  RowMemory of_teacher_, of_student_;
};

}  // namespace

std::vector<std::unique_ptr<Attacker>> distilled(const TrainedAttackerConfig& config, World& world) {
  std::vector<std::unique_ptr<Attacker>> attackers;
  attackers.push_back(std::make_unique<Distilled>(config, world));
  return attackers;
}

}  // namespace facemae
